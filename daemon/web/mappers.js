// SPDX-License-Identifier: GPL-2.0-or-later
// Who maps this page: the frame, the addresses that show it, and the processes at each; and how far that is proved.
import { ask } from './api.js';
import { bare } from './address.js';
import { button, copyButton, h, svg } from './dom.js';
import { count, mapping, plural, shortMapping, visible } from './format.js';
import { Freshness, waiting } from './status.js';
import { kpageflags } from './tables.js';

const CHIPS = 60; // processes that are drawn at one address; the table has all

const METHODS = {
	helper: 'the kernel’s own reverse mapping (module)',
	'same-address': 'the same address in other processes, proved by the kernel’s count',
	'file-offset': 'the VMAs that show this offset of the file, proved by the kernel’s count',
	scan: 'every present page of every process',
};

const REASONS = {
	unreached: 'the kernel counts more mappings than were found',
	deadline: 'the time for it was up',
	changed: 'it changed while it was looked for',
};

// The question walks page tables: it is asked when somebody pressed for it, and not because an address was opened.
let pressed = null;

export function askMappers(link) {
	pressed = `${link}/mappings`;
	location.hash = pressed;
}

function chip(one) {
	const name = visible(one.comm ?? '?');
	return h(
		'a',
		{
			class: 'chip',
			href: `#/p/${one.pids[0]}/${one.address}`,
			title: one.vma_start
				? `${bare(one.vma_start)}-${bare(one.vma_end)} ${one.perms} ${mapping(one)}`
				: null,
		},
		h('b', null, name),
		` ${one.pids.join(' = ')}`,
	);
}

// The mappings by address, those with most processes first.
function byAddress(mappings) {
	const groups = new Map();
	for (const one of mappings) groups.set(one.address, [...(groups.get(one.address) ?? []), one]);
	return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

class Picture {
	constructor(reply) {
		this.wires = svg('svg', { class: 'wires', 'aria-hidden': 'true' });
		this.frame = h(
			'div',
			{ class: 'frame-box' },
			h('b', null, 'frame'),
			h('code', null, reply.page.pfn),
			h(
				'span',
				null,
				reply.page.mapcount === undefined
					? 'the kernel keeps no count'
					: `mapped ${plural(reply.page.mapcount, 'time')}`,
			),
		);
		this.cards = byAddress(reply.mappings).map(([address, all]) =>
			h(
				'div',
				{ class: 'address-card' },
				h('code', null, bare(address)),
				h('span', { class: 'line' }, `${shortMapping(all[0])} ${all[0].perms ?? ''}`),
				h(
					'div',
					{ class: 'chips' },
					all.slice(0, CHIPS).map(chip),
					all.length > CHIPS &&
						h('span', { class: 'line' }, `and ${count(all.length - CHIPS)} more`),
				),
			),
		);
		this.element = h(
			'div',
			{ class: 'picture' },
			this.wires,
			this.frame,
			h('div', { class: 'cards' }, this.cards),
		);
		this.watcher = new ResizeObserver(() => this.draw());
		this.watcher.observe(this.element);
		this.onscroll = () => this.draw();
		document.getElementById('main').addEventListener('scroll', this.onscroll, { passive: true });
	}

	draw() {
		const own = this.element.getBoundingClientRect();
		const frame = this.frame.getBoundingClientRect();
		const below = frame.bottom < (this.cards[0]?.getBoundingClientRect().top ?? 0);
		this.wires.setAttribute('width', own.width);
		this.wires.setAttribute('height', own.height);
		this.wires.replaceChildren(
			...this.cards.map((card) => {
				const to = card.getBoundingClientRect();
				const [x0, y0] = below
					? [frame.left + 20 - own.left, frame.bottom - own.top]
					: [frame.right - own.left, frame.top + frame.height / 2 - own.top];
				const [x1, y1] = [to.left - own.left, to.top + Math.min(20, to.height / 2) - own.top];
				const path = below
					? `M${x0} ${y0} L${x0 - 10} ${y0} L${x0 - 10} ${y1} L${x1} ${y1}`
					: `M${x0} ${y0} C${(x0 + x1) / 2} ${y0} ${(x0 + x1) / 2} ${y1} ${x1} ${y1}`;
				return svg('path', { d: path });
			}),
		);
	}

	close() {
		this.watcher.disconnect();
		document.getElementById('main').removeEventListener('scroll', this.onscroll);
	}
}

function table(mappings) {
	const row = (one) =>
		h(
			'tr',
			null,
			h('td', null, one.pids.join(' = ')),
			h('td', null, visible(one.comm ?? '')),
			h(
				'td',
				null,
				h(
					'a',
					{ href: `#/p/${one.pids[0]}/${one.address}` },
					h('code', null, bare(one.address)),
				),
			),
			h(
				'td',
				null,
				one.vma_start ? h('code', null, `${bare(one.vma_start)}-${bare(one.vma_end)}`) : '',
			),
			h('td', null, h('code', null, one.perms ?? '')),
			h('td', null, one.kind ?? ''),
			h('td', null, mapping(one)),
		);
	return h(
		'div',
		{ class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'mappings' },
		h(
			'table',
			null,
			h('caption', { class: 'unseen' }, 'mappings of the page'),
			h(
				'thead',
				null,
				h(
					'tr',
					null,
					['PID', 'Name', 'Address', 'VMA', 'Perms', 'Kind', 'Mapping'].map((name) =>
						h('th', { scope: 'col' }, name),
					),
				),
			),
			h('tbody', null, mappings.map(row)),
		),
	);
}

export function mappersView(main, { pid, ticks, address }, explain) {
	const stop = new AbortController();
	const fresh = new Freshness();
	const back = `#/p/${pid}${ticks ? `.${ticks}` : ''}/${address}`;
	const answer = h('div');
	let picture = null;

	function show(reply) {
		const { page, mappings } = reply;
		const proved = reply.complete
			? 'complete'
			: `incomplete: ${REASONS[reply.reason] ?? reply.reason ?? 'it is not said why'}`;
		picture?.close();
		picture = null;
		if (!page) {
			answer.replaceChildren(
				h(
					'p',
					{ class: 'notice' },
					'No page is mapped at this address: nobody has touched it yet, or it is swapped out.',
				),
			);
			return;
		}
		picture = new Picture(reply);
		answer.replaceChildren(
			h(
				'p',
				{ class: 'answer' },
				`Mapped ${page.mapcount === undefined ? '' : `${plural(page.mapcount, 'time')}, `}found ${count(reply.mappings_found)} in ${plural(reply.processes_found, 'process', 'processes')}: `,
				h('b', { class: reply.complete ? 'good' : 'warn' }, proved),
			),
			h('p', { class: 'line' }, `by ${METHODS[reply.method] ?? reply.method}`),
			h(
				'p',
				null,
				page.flags.map((flag) =>
					h('span', { class: 'flag', title: kpageflags.get(flag) }, flag),
				),
			),
			picture.element,
			table(mappings),
		);
	}

	async function load() {
		answer.replaceChildren(waiting('looking for every mapping of the page …'));
		try {
			const { reply, cost } = await ask(
				`/v1/processes/${pid}/pages/${address}/mappings${ticks ? `?start_time_ticks=${ticks}` : ''}`,
				{ signal: stop.signal },
			);
			fresh.set(cost);
			title.replaceChildren(
				'Who maps this page',
				h('small', null, ` ${bare(address)} of ${visible(reply.comm)} ${pid}`),
			);
			show(reply);
		} catch (error) {
			answer.replaceChildren(explain(error, load) ?? '');
		}
	}

	const title = h('h1', null, 'Who maps this page', h('small', null, ` ${bare(address)} of process ${pid}`));
	document.title = `who maps ${bare(address)} - vmad`;
	main.append(
		h(
			'section',
			{ class: 'page' },
			h(
				'div',
				{ class: 'bar-top' },
				title,
				h('span', { class: 'grow' }),
				h('a', { class: 'button', href: back }, 'The map'),
				button('Ask', load, { class: 'primary', title: 'walks page tables; for root' }),
				copyButton('Copy as vmactl', () => `vmactl rmap ${pid} ${bare(address)}`),
			),
			h('p', { class: 'line' }, fresh.element),
			answer,
		),
	);
	if (pressed === location.hash) load();
	else answer.append(h('p', { class: 'waiting' }, 'This walks page tables, so it is asked when you press Ask.'));
	pressed = null;
	return {
		close() {
			stop.abort();
			fresh.close();
			picture?.close();
		},
	};
}
