// SPDX-License-Identifier: GPL-2.0-or-later
// The map of an address space: the picture, the same as a table, and what one address is.
import { ask, askList } from './api.js';
import { addressOf, bare, hex, pageOfAddress, parseAddress, parseCrash, parseFileOffset } from './address.js';
import { announce, button, copyButton, h } from './dom.js';
import { Explain } from './explain.js';
import { basename, count, mapping, plural, shortMapping, size, visible } from './format.js';
import { Grid } from './grid.js';
import { Layout, place } from './layout.js';
import { Live } from './live.js';
import { KINDS, MemoryMap } from './map.js';
import { Pages, STATES, askPages } from './pages.js';
import { Freshness, verdict, waiting } from './status.js';
import { kinds } from './tables.js';

const COLUMNS = [
	{
		key: 'start',
		label: 'Start',
		width: '8.6em',
		put: (cell, row) => cell.append(h('code', null, bare(row.start))),
	},
	{
		key: 'end',
		label: 'End',
		width: '8.6em',
		least: 720,
		put: (cell, row) => cell.append(h('code', null, bare(row.end))),
	},
	{ key: 'perms', label: 'Perms', width: '3.8em', put: (cell, row) => cell.append(h('code', null, row.perms)) },
	{
		key: 'size',
		label: 'Size',
		end: true,
		width: '4.5em',
		put: (cell, row) => cell.append(size(row.size_bytes)),
	},
	{
		key: 'kind',
		label: 'Kind',
		width: '7.6em',
		least: 420,
		put: (cell, row) => cell.append(h('i', { class: `swatch kind-${row.kind}` }), ` ${row.kind}`),
	},
	{
		key: 'mapping',
		label: 'Mapping',
		width: 'minmax(6em, 1fr)',
		put: (cell, row) => {
			const text = mapping(row);
			const slash = text.startsWith('/') ? text.lastIndexOf('/') : -1;
			cell.append(
				text.slice(slash + 1),
				(slash > 0 && h('span', { class: 'where' }, ` ${text.slice(0, slash)}`)) || '',
			);
			cell.title = text;
		},
	},
];

const SCALES = [
	['size', 'to scale'],
	['log', 'by logarithm'],
	['equal', 'all alike'],
];

// A VMA that holds an offset of a file whose path ends in this name.
function holdsOffset(vma, { file, offset }) {
	if (vma.path === undefined || !(vma.path === file || basename(vma.path) === basename(file))) return false;
	const begin = BigInt(vma.offset_bytes);
	return offset >= begin && offset < begin + BigInt(vma.size_bytes);
}

class Space {
	constructor(main, { pid, ticks, address }, explain) {
		this.pid = Number(pid);
		this.ticks = ticks;
		this.problem = explain;
		this.stop = new AbortController();
		this.pages = new Pages();
		this.layout = new Layout([]);
		this.list = null;
		this.address = null;
		this.wanted = address ? BigInt(address) : null;
		this.live = new Live(() => this.load());
		this.build(main);
		this.load();
		this.loadProcess();
	}

	build(main) {
		this.fresh = new Freshness();
		this.title = h('h1', null, `process ${this.pid}`);
		this.facts = h('p', { class: 'line' });
		this.notice = h('div');
		this.pageNotice = h('div');
		this.wait = waiting('asking for its VMAs …');
		this.search = h('input', {
			type: 'search',
			'data-search': '',
			autocomplete: 'off',
			spellcheck: 'false',
			placeholder: 'address, file, file+offset, or a crash line  ( / )',
			'aria-label': 'search by address or file, or paste what a crash left',
		});
		this.search.addEventListener('input', () => this.onsearch());
		this.search.addEventListener('keydown', (event) => this.onsearchkey(event));
		this.found = h('div', { class: 'found' });
		this.map = new MemoryMap({
			onhover: (at, x, y) => this.hover(at, x, y),
			onpick: (at) => at.page !== null && this.select(addressOf(at.page), 'map'),
			onview: () => this.sayView(),
		});
		this.map.pages = this.pages;
		this.map.canvas.addEventListener('keydown', (event) => this.onmapkey(event));
		this.map.canvas.setAttribute('aria-describedby', 'map-keys');
		this.tip = h('div', { class: 'tip', hidden: true });
		this.legend = h('p', { class: 'legend' });
		this.grid = new Grid({
			label: 'VMAs',
			columns: COLUMNS,
			empty: 'No VMA matches.',
			onmove: (row) => this.select(addressOf(row.lo), 'grid'),
			onopen: (row) => this.map.show(row.lo, row.hi),
		});
		this.panel = new Explain({
			process: () => ({ pid: this.pid, ticks: this.ticks }),
			layout: () => this.layout,
			pages: () => this.pages,
			select: (to) => this.select(to),
			askPages: (lo, hi) => this.askPages(lo, hi),
			problem: (...args) => this.problem(...args),
		});
		main.append(
			h(
				'section',
				{ class: 'page space' },
				h(
					'div',
					{ class: 'bar-top' },
					this.title,
					h('span', { class: 'grow' }),
					this.search,
					this.tools(),
				),
				this.facts,
				h('p', { class: 'line' }, this.fresh.element),
				this.notice,
				this.wait,
				h(
					'div',
					{ class: 'split' },
					h(
						'div',
						{ class: 'map-side' },
						this.mapTools(),
						h('div', { class: 'map-box' }, this.map.canvas, this.tip),
						this.legend,
						this.pageNotice,
						h(
							'p',
							{ class: 'unseen', id: 'map-keys' },
							'Left and right arrows go from VMA to VMA, up and down move the picture, plus and minus zoom, 0 shows all, Enter brings the VMA near. The table has the same VMAs.',
						),
					),
					h(
						'div',
						{ class: 'table-side' },
						this.found,
						this.panel.element,
						this.grid.element,
					),
				),
			),
		);
	}

	tools() {
		this.again = h('input', { type: 'checkbox', onchange: () => this.live.set(this.again.checked) });
		return [
			h(
				'label',
				{
					title: 'asks for the list again and again; never for anything that walks page tables',
				},
				this.again,
				' live',
			),
			button('Refresh', () => this.load()),
			copyButton('Copy as vmactl', () => `vmactl maps ${this.pid}`),
		];
	}

	mapTools() {
		const scale = h(
			'select',
			{
				'aria-label': 'scale',
				onchange: () => {
					this.scale = scale.value;
					this.lay(false);
				},
			},
			SCALES.map(([value, label]) => h('option', { value }, label)),
		);
		this.scale = 'size';
		this.pagesButton = button('States of pages in sight', () => this.askPages(...this.map.sight()), {
			title: 'walks the page tables of what the map shows',
		});
		return h(
			'div',
			{ class: 'tools', role: 'toolbar', 'aria-label': 'map' },
			scale,
			button('−', () => this.map.zoom(1 / 2), { 'aria-label': 'zoom out' }),
			button('+', () => this.map.zoom(2), { 'aria-label': 'zoom in' }),
			button('All', () => this.map.look(0, 0)),
			h('span', { class: 'grow' }),
			this.pagesButton,
		);
	}

	path(rest, ...query) {
		const all = this.ticks ? [...query, `start_time_ticks=${this.ticks}`] : query;
		return `/v1/processes/${this.pid}${rest}${all.length ? `?${all.join('&')}` : ''}`;
	}

	async load() {
		try {
			const list = await askList(this.path('/vmas'), {
				signal: this.stop.signal,
				onrows: (n) => n > 2000 && this.wait && (this.wait.textContent = `${count(n)} VMAs …`),
			});
			this.wait?.remove();
			this.wait = null;
			this.notice.replaceChildren();
			this.take(list);
			return list.cost;
		} catch (error) {
			const box = this.problem(error, () => this.load());
			if (box) {
				this.wait?.remove();
				this.wait = null;
				this.notice.replaceChildren(box);
			}
			return null;
		}
	}

	async loadProcess() {
		try {
			const { reply } = await ask(this.path(''), { signal: this.stop.signal });
			const parts = [
				reply.user ?? reply.uid,
				reply.unit,
				reply.cgroup,
				plural(reply.threads, 'thread'),
				`size ${size(reply.vm_size_bytes)}`,
				reply.rss_bytes === undefined ? null : `RSS ${size(reply.rss_bytes)}`,
			];
			this.facts.textContent = parts
				.filter((part) => part !== null && part !== undefined && part !== '')
				.map((part) => visible(String(part)))
				.join(' · ');
		} catch (error) {
			this.problem(error);
		}
	}

	take(list) {
		const first = !this.list;
		this.list = list;
		this.ticks ??= String(list.head.start_time_ticks);
		this.comm = list.head.comm;
		this.vmas = list.rows;
		for (const vma of this.vmas) {
			place(vma);
			vma.kindIndex = Math.max(0, KINDS.indexOf(vma.kind));
			vma.key = vma.start;
		}
		document.title = `${visible(this.comm)} ${this.pid} - vmad`;
		this.title.replaceChildren(
			visible(this.comm) || '(no name)',
			h('small', null, ` ${this.pid}, ${plural(this.vmas.length, 'VMA')}`),
		);
		this.fresh.set(list.cost, `${list.head.source}, ${verdict(list.tail)}`);
		this.drawLegend();
		this.lay(!first);
		this.onsearch();
		if (this.wanted !== null) {
			const wanted = this.wanted;
			this.wanted = null;
			this.select(wanted);
		} else if (this.address !== null) {
			this.panel.show(this.address);
		}
		if (!this.vmas.length)
			this.notice.replaceChildren(
				h(
					'p',
					{ class: 'notice' },
					'It has no address space: a thread of the kernel, or a process that has ended.',
				),
			);
	}

	lay(keep) {
		this.layout = new Layout(this.vmas, this.scale);
		this.map.setLayout(this.layout, keep);
		this.sayView();
	}

	drawLegend() {
		const there = KINDS.filter((_, i) => this.vmas.some((vma) => vma.kindIndex === i));
		this.legend.replaceChildren(
			...there.map((kind) =>
				h(
					'span',
					{ class: 'key', title: kinds.get(kind) },
					h('i', { class: `swatch kind-${kind}` }),
					kind,
				),
			),
		);
		if (this.pages.runs.length)
			this.legend.append(
				h('span', { class: 'key strong' }, 'pages:'),
				...STATES.map((state) =>
					h(
						'span',
						{ class: 'key', title: state.help },
						h('i', { class: `swatch page-${state.name}` }),
						state.label,
					),
				),
			);
	}

	sayView() {
		this.map.canvas.setAttribute(
			'aria-label',
			`map of ${plural(this.layout.vmas.length, 'VMA')}${this.address === null ? '' : `; chosen: ${this.describe()}`}`,
		);
	}

	describe() {
		const i = this.layout.indexOfPage(pageOfAddress(this.address));
		const vma = this.layout.vmas[i];
		return vma && pageOfAddress(this.address) < vma.hi
			? `${bare(vma.start)}, ${shortMapping(vma)}, ${vma.perms}, ${size(vma.size_bytes)}`
			: `${bare(hex(this.address))}, unmapped`;
	}

	// Chooses an address: everywhere at once, and in the address bar.
	select(address, from) {
		const page = pageOfAddress(address);
		const i = this.layout.indexOfPage(page);
		const vma = this.layout.vmas[i];
		const inside = vma && page < vma.hi;
		this.address = address;
		this.map.select(page);
		if (from !== 'map') this.map.show(page, page + 1, true);
		if (from !== 'grid' && inside) this.grid.select(vma);
		history.replaceState(null, '', `#/p/${this.pid}.${this.ticks}/${hex(address)}`);
		this.panel.show(address);
		this.sayView();
		if (from !== 'grid') announce(this.describe());
	}

	hover(at, x, y) {
		this.tip.hidden = !at || at.page === null;
		if (this.tip.hidden) return;
		const vma = this.layout.vmas[at.index];
		const page = this.pages.at(at.page);
		this.tip.replaceChildren(
			h('code', null, bare(hex(addressOf(at.page)))),
			h('br'),
			...(vma
				? [
						h('b', null, shortMapping(vma)),
						h('br'),
						h('code', null, `${bare(vma.start)}-${bare(vma.end)}`),
						h('br'),
						`${vma.perms}  ${size(vma.size_bytes)}  ${vma.kind}`,
					]
				: ['unmapped']),
			...(page ? [h('br'), `page: ${STATES[page.state].label}`] : []),
		);
		const left = Math.min(x + 16, this.map.width - this.tip.offsetWidth - 4);
		this.tip.style.left = `${Math.max(4, left)}px`;
		this.tip.style.top = `${y + 16 + this.tip.offsetHeight > this.map.height ? y - 8 - this.tip.offsetHeight : y + 16}px`;
	}

	onmapkey(event) {
		const steps = {
			ArrowUp: () => this.map.pan(-60),
			ArrowDown: () => this.map.pan(60),
			PageUp: () => this.map.pan(-this.map.height * 0.9),
			PageDown: () => this.map.pan(this.map.height * 0.9),
			'+': () => this.map.zoom(1.6),
			'=': () => this.map.zoom(1.6),
			'-': () => this.map.zoom(1 / 1.6),
			0: () => this.map.look(0, 0),
			Home: () => this.map.look(0, this.map.perUnit),
			End: () => this.map.look(Infinity, this.map.perUnit),
			ArrowRight: () => this.step(1),
			ArrowLeft: () => this.step(-1),
			Enter: () => this.near(),
			Escape: () => this.map.look(0, 0),
		};
		if (!this.vmas || event.ctrlKey || event.metaKey || event.altKey || !steps[event.key]) return;
		event.preventDefault();
		steps[event.key]();
	}

	step(by) {
		const page = this.address === null ? -1 : pageOfAddress(this.address);
		const i = this.layout.indexOfPage(page) + by;
		const vma = this.vmas[Math.max(0, Math.min(this.vmas.length - 1, i))];
		if (vma) this.select(addressOf(vma.lo));
	}

	near() {
		const vma =
			this.address === null
				? null
				: this.layout.vmas[this.layout.indexOfPage(pageOfAddress(this.address))];
		if (vma) this.map.show(vma.lo, vma.hi);
	}

	// What the search means: an address, a place in a file, what a crash left, or words of a mapping.
	onsearch() {
		if (!this.vmas) return;
		const text = this.search.value.trim();
		const crash = /\s/.test(text) || text.includes('[') ? parseCrash(text) : [];
		this.map.marks = new Set();
		this.found.replaceChildren();
		let rows = this.vmas;
		if (crash.length) {
			this.putCrash(crash);
		} else if (text && parseAddress(text) === null && !parseFileOffset(text)) {
			const words = text.toLowerCase().split(/\s+/);
			rows = this.vmas.filter((vma, i) => {
				const whole =
					`${vma.path ?? vma.name ?? ''} ${vma.kind} ${vma.perms}${vma.deleted ? ' (deleted)' : ''}`.toLowerCase();
				const fits = words.every((word) => whole.includes(word));
				if (fits) this.map.marks.add(i);
				return fits;
			});
			this.found.append(
				h(
					'p',
					{ class: 'line' },
					`${plural(rows.length, 'VMA')}, ${size(rows.reduce((sum, vma) => sum + vma.size_bytes, 0))} match`,
				),
			);
		}
		this.grid.set(rows);
		this.map.dirty();
	}

	putCrash(crash) {
		this.found.append(
			h('h2', null, 'What it names'),
			h(
				'ul',
				{ class: 'crash' },
				crash.map((item) => {
					const address = item.address ?? this.addressOfOffset(item);
					const vma =
						address === null
							? null
							: this.layout.vmas[
									this.layout.indexOfPage(pageOfAddress(address))
								];
					const inside = vma && pageOfAddress(address) < vma.hi;
					const name = item.file
						? `${visible(item.file)}+${hex(item.offset)}`
						: `${item.word ? `${visible(item.word)} ` : ''}${bare(hex(item.address))}`;
					const what =
						address === null
							? 'that part of the file is not mapped here'
							: inside
								? `${shortMapping(vma)} + ${hex(vma.path === undefined ? address - BigInt(vma.start) : BigInt(vma.offset_bytes) + address - BigInt(vma.start))}  ${vma.perms}`
								: 'unmapped here';
					return h(
						'li',
						null,
						address === null
							? name
							: button(name, () => this.select(address), { class: 'link' }),
						` ${what}`,
					);
				}),
			),
		);
	}

	addressOfOffset(item) {
		const vma = this.vmas.find((one) => holdsOffset(one, item));
		return vma ? BigInt(vma.start) + item.offset - BigInt(vma.offset_bytes) : null;
	}

	onsearchkey(event) {
		if (event.key === 'Escape') {
			this.search.value = '';
			this.onsearch();
			this.map.canvas.focus();
		} else if (event.key === 'ArrowDown') {
			event.preventDefault();
			this.grid.element.focus();
		} else if (event.key === 'Enter' && this.vmas) {
			this.go(this.search.value);
		}
	}

	go(text) {
		const address = parseAddress(text);
		const place = parseFileOffset(text);
		if (address !== null) {
			this.select(address);
		} else if (place) {
			const at = this.addressOfOffset(place);
			this.found.replaceChildren(
				at === null
					? h('p', { class: 'notice' }, 'No VMA shows that part of such a file.')
					: '',
			);
			if (at !== null) this.select(at);
		} else if (this.grid.rows.length) {
			this.grid.activate(this.grid.active + 1 < this.grid.rows.length ? this.grid.active + 1 : 0);
		}
	}

	// Asked by hand only: it walks page tables.
	async askPages(lo, hi) {
		this.pagesButton.disabled = true;
		try {
			const { runs, tail, cost } = await askPages(
				{ pid: this.pid, ticks: this.ticks },
				lo,
				hi,
				this.stop.signal,
			);
			this.pages.add(runs);
			const note = new Freshness();
			note.set(
				cost,
				`states of pages: ${plural(runs.length, 'run')} (${tail.source}), ${verdict(tail)}`,
			);
			this.pageFresh?.close();
			this.pageFresh = note;
			this.pageNotice.replaceChildren(
				h(
					'p',
					{ class: 'line' },
					note.element,
					' ',
					copyButton(
						'Copy as vmactl',
						() =>
							`vmactl pages ${this.pid} ${bare(hex(addressOf(lo)))}-${bare(hex(addressOf(hi)))}`,
					),
				),
			);
			this.drawLegend();
			this.map.dirty();
			if (this.address !== null) this.panel.draw();
		} catch (error) {
			const box = this.problem(error, () => this.askPages(lo, hi));
			if (box) this.pageNotice.replaceChildren(box);
		} finally {
			this.pagesButton.disabled = false;
		}
	}

	// The same process at another address: it only goes there.
	follow({ pid, ticks, address }) {
		if (Number(pid) !== this.pid || (ticks && ticks !== this.ticks) || !this.vmas) return false;
		if (address) this.select(BigInt(address));
		return true;
	}

	retry() {
		this.load();
	}

	restyle() {
		this.map.restyle();
	}

	close() {
		this.stop.abort();
		this.live.close();
		this.fresh.close();
		this.pageFresh?.close();
		this.panel.close();
		this.map.close();
		this.grid.close();
	}
}

export function spaceView(main, groups, explain) {
	return new Space(main, groups, explain);
}
