// SPDX-License-Identifier: GPL-2.0-or-later
// What stands around an answer: how far to trust it, how old it is, what it cost; and what is said where there is none.
import { h, button } from './dom.js';
import { ago, duration } from './format.js';

const REASONS = {
	limit: 'the first ones only',
	'target-gone': 'the process ended, or ran another program, while it was read',
	deadline: 'the time for it was up',
	busy: 'vmad was busy',
};

// "complete", or why it is not
export function verdict(tail) {
	return tail.complete
		? 'complete'
		: `incomplete: ${REASONS[tail.reason] ?? tail.reason ?? 'it is not said why'}`;
}

// A line that keeps saying how old the answer is; it says nothing new to those who hear the page.
export class Freshness {
	constructor() {
		this.element = h('span', { class: 'fresh', 'data-fresh': '' });
		this.timer = setInterval(() => this.draw(), 1000);
		this.cost = null;
	}

	set(cost, words = '') {
		this.cost = cost;
		this.words = words;
		this.draw();
	}

	draw() {
		if (!this.cost || document.hidden) return;
		const { asked, daemonMs, wallMs } = this.cost;
		const took = daemonMs === null ? '' : `, vmad took ${duration(daemonMs)}`;
		this.element.textContent = `${this.words}${this.words ? ' · ' : ''}asked ${ago(Date.now() - asked)}${took}, ${duration(wallMs)} in all`;
	}

	close() {
		clearInterval(this.timer);
	}
}

function tokenAdvice() {
	return h(
		'p',
		null,
		'On the host, as the user whose processes you want to see, ',
		h('code', null, 'vmactl web'),
		' prints the address of this page with a token that is good for eight hours.',
	);
}

// A problem in its own words, and what mends it.
export function problemBox(problem, retry) {
	const box = h(
		'div',
		{ class: 'notice bad', role: 'alert' },
		h('strong', null, problem.title ?? 'something failed'),
		problem.detail && h('p', null, problem.detail),
		problem.mend && h('p', { class: 'mend' }, h('b', null, 'What mends it: '), problem.mend),
	);
	if (problem.kind === 'token-required' || problem.kind === 'token-unknown') box.append(tokenAdvice());
	if (!problem.kind) box.append(h('p', null, problem.stack ? String(problem.message) : ''));
	if (retry) box.append(button('Ask again', retry));
	return box;
}

export function waiting(words) {
	return h('p', { class: 'waiting', role: 'status' }, words);
}
