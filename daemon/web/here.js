// SPDX-License-Identifier: GPL-2.0-or-later
// What works here for this caller, and what does not, why, and what mends it: as `vmactl doctor` says it.
import { ask } from './api.js';
import { h } from './dom.js';
import { visible } from './format.js';
import { Freshness, verdict, waiting } from './status.js';

function row(one) {
	return h(
		'tr',
		null,
		h('td', null, visible(one.name)),
		h(
			'td',
			null,
			h('b', { class: one.available ? 'good' : 'warn' }, one.available ? 'yes' : 'no'),
			one.value === undefined ? '' : ` ${visible(one.value)}`,
		),
		h('td', null, visible(one.why), one.mend ? h('div', { class: 'mend' }, visible(one.mend)) : ''),
	);
}

export function hereView(main, _, explain) {
	const stop = new AbortController();
	const fresh = new Freshness();
	const answer = h('div', null, waiting('asking …'));

	async function load() {
		try {
			const { reply, cost } = await ask('/v1/capabilities', { signal: stop.signal });
			fresh.set(cost, verdict(reply));
			answer.replaceChildren(
				h(
					'p',
					{ class: 'answer' },
					`Linux ${reply.kernel} on ${reply.machine}; you are uid ${reply.caller_uid} (${reply.caller_class}), over ${reply.listener}`,
				),
				h(
					'div',
					{ class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'capabilities' },
					h(
						'table',
						null,
						h(
							'thead',
							null,
							h(
								'tr',
								null,
								['What', 'Works', 'Why'].map((name) =>
									h('th', { scope: 'col' }, name),
								),
							),
						),
						h('tbody', null, reply.capabilities.map(row)),
					),
				),
			);
		} catch (error) {
			answer.replaceChildren(explain(error, load) ?? '');
		}
	}

	document.title = 'what works here - vmad';
	main.append(
		h(
			'section',
			{ class: 'page' },
			h('div', { class: 'bar-top' }, h('h1', null, 'What works here')),
			h('p', { class: 'line' }, fresh.element),
			answer,
		),
	);
	load();
	return {
		retry: load,
		close() {
			stop.abort();
			fresh.close();
		},
	};
}
