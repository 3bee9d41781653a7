// SPDX-License-Identifier: GPL-2.0-or-later
// The processes: which are near the limit of VMAs, and the way to each.
import { askList } from './api.js';
import { h } from './dom.js';
import { count, percent, plural, size, visible } from './format.js';
import { Grid } from './grid.js';
import { Live } from './live.js';
import { Freshness, verdict, waiting } from './status.js';

export function linkTo(process) {
	return `#/p/${process.pid}.${process.start_time_ticks}`;
}

// A share of the limit, as a bar and a number.
function putLimit(cell, row) {
	const ratio = row.vma_limit_ratio;
	if (ratio === undefined) return;
	const bar = h(
		'span',
		{ class: `bar ${ratio >= 0.95 ? 'bad' : ratio >= 0.8 ? 'warn' : ''}`, 'aria-hidden': 'true' },
		h('i'),
	);
	bar.firstChild.style.width = `${Math.min(100, ratio * 100)}%`;
	cell.append(bar, h('span', { class: 'number' }, `${percent(ratio)}%`));
}

const number = (key, show = count) => ({
	key,
	end: true,
	sort: (row) => row[key] ?? -1,
	put: (cell, row) => cell.append(row[key] === undefined ? '' : show(row[key])),
});

const word = (key) => ({
	key,
	sort: (row) => (row[key] ?? '').toLowerCase(),
	put: (cell, row) => {
		cell.append(visible(row[key] ?? ''));
		cell.title = visible(row[key] ?? '');
	},
});

const COLUMNS = [
	{ ...number('pid', String), label: 'PID', width: '4.5em' },
	{
		...word('comm'),
		label: 'Name',
		width: 'minmax(7em, 1.3fr)',
		put: (cell, row) => cell.append(h('a', { href: linkTo(row) }, visible(row.comm) || '(no name)')),
	},
	{ ...word('user'), label: 'User', width: 'minmax(5em, .7fr)', least: 640 },
	{ ...number('vma_count'), label: 'VMAs', title: 'virtual memory areas, counted', width: '4.5em' },
	{
		...number('vma_limit_ratio'),
		label: 'Of limit',
		title: 'VMAs as a share of vm.max_map_count: at 100 % the next mmap fails',
		width: 'minmax(5.5em, 1fr)',
		put: putLimit,
	},
	{ ...number('vm_size_bytes', size), label: 'Size', title: 'virtual size', width: '5em', least: 480 },
	{
		...number('rss_bytes', size),
		label: 'RSS',
		title: 'resident, by the kernel’s fast counters',
		width: '4.5em',
		least: 430,
	},
	{ ...number('swap_bytes', size), label: 'Swap', width: '5em', least: 760 },
	{ ...number('threads'), label: 'Threads', width: '5.5em', least: 820 },
	{ ...word('unit'), label: 'Unit', width: 'minmax(8em, 1fr)', least: 900 },
];

function matches(row, words) {
	const text = `${row.pid} ${row.comm} ${row.user ?? ''} ${row.unit ?? ''} ${row.cgroup ?? ''}`.toLowerCase();
	return words.every((wanted) => text.includes(wanted));
}

export function processesView(main, _, explain) {
	const stop = new AbortController();
	const fresh = new Freshness();
	const summary = h('h1', null, 'Processes');
	const problem = h('div');
	const search = h('input', {
		type: 'search',
		'data-search': '',
		placeholder: 'name, pid, user, unit  ( / )',
		'aria-label': 'filter by name, pid, user or unit',
		oninput: () => draw(),
	});
	const users = h('input', { type: 'checkbox', id: 'with-vmas', checked: true, onchange: () => draw() });
	const again = h('input', {
		type: 'checkbox',
		id: 'live-on',
		checked: true,
		onchange: () => live.set(again.checked),
	});
	const grid = new Grid({
		label: 'processes',
		columns: COLUMNS,
		empty: 'No process matches.',
		onopen: (row) => {
			location.hash = linkTo(row);
		},
	});
	let rows = [];
	let wait = waiting('asking for the processes …');

	function draw() {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
		grid.set(rows.filter((row) => (!users.checked || row.vma_count !== 0) && matches(row, words)));
	}

	async function refresh() {
		try {
			const list = await askList('/v1/processes?detail=vmas', { signal: stop.signal });
			rows = list.rows.map((row) => ({ ...row, key: `${row.pid}.${row.start_time_ticks}` }));
			const limit = list.tail.vma_limit;
			summary.replaceChildren(
				plural(rows.length, 'process', 'processes'),
				h(
					'small',
					null,
					limit === undefined
						? ''
						: ` each may have ${count(limit)} VMAs (vm.max_map_count)`,
				),
			);
			fresh.set(list.cost, verdict(list.tail));
			problem.replaceChildren();
			wait?.remove();
			wait = null;
			draw();
			return list.cost;
		} catch (error) {
			const box = explain(error, refresh);
			if (box) {
				wait?.remove();
				problem.replaceChildren(box);
			}
			return null;
		}
	}

	const live = new Live(refresh);
	document.title = 'processes - vmad';
	main.append(
		h(
			'section',
			{ class: 'page' },
			h(
				'div',
				{ class: 'bar-top' },
				summary,
				h('span', { class: 'grow' }),
				search,
				h('label', null, users, ' with memory'),
				h('label', null, again, ' live'),
			),
			h('p', { class: 'line' }, fresh.element),
			problem,
			wait,
			grid.element,
		),
	);
	search.addEventListener('keydown', (event) => {
		if (event.key === 'ArrowDown' || event.key === 'Enter') {
			event.preventDefault();
			grid.element.focus();
			grid.activate(0);
		}
	});
	grid.sort('vma_count', true);
	refresh();
	live.set(true);
	return {
		retry: refresh,
		close() {
			stop.abort();
			live.close();
			fresh.close();
			grid.close();
		},
	};
}
