// SPDX-License-Identifier: GPL-2.0-or-later
// Physical memory by kind: every frame of the host, by what the kernel says of it, as a treemap and as a table. For root.
import { ask } from './api.js';
import { button, copyButton, h } from './dom.js';
import { count, percent, plural, size } from './format.js';
import { Freshness, verdict, waiting } from './status.js';
import { kpageflags } from './tables.js';
import { squarify } from './treemap.js';

/*
 * What a combination of flags means, by the first that fits; the colour is --frame-NAME of style.css.
 */
const GROUPS = [
	{
		name: 'none',
		label: 'no memory, or not said',
		fits: (has) => has('nopage') || has('offline') || has('hwpoison'),
	},
	{ name: 'free', label: 'free', help: 'in the buddy allocator', fits: (has) => has('buddy') },
	{ name: 'tables', label: 'page tables', fits: (has) => has('pgtable') },
	{ name: 'slab', label: 'slab', help: 'the kernel’s own objects', fits: (has) => has('slab') },
	{ name: 'hugetlb', label: 'hugetlb', fits: (has) => has('huge') },
	{ name: 'anon', label: 'anonymous', help: 'heaps, stacks, and private copies', fits: (has) => has('anon') },
	{
		name: 'shmem',
		label: 'shared memory, tmpfs',
		help: 'swap-backed, and not anonymous',
		fits: (has) => has('swapbacked'),
	},
	{ name: 'mapped', label: 'files, mapped', help: 'page cache that a process maps', fits: (has) => has('mmap') },
	{
		name: 'cache',
		label: 'files, cached',
		help: 'page cache that nobody maps',
		fits: (has) => has('lru') || has('uptodate') || has('dirty') || has('writeback'),
	},
	{
		name: 'reserved',
		label: 'reserved',
		help: 'the kernel itself, firmware, devices',
		fits: (has) => has('reserved'),
	},
	{ name: 'kernel', label: 'no flags', help: 'allocated by the kernel, and not said what for', fits: () => true },
];

function group(frames) {
	const groups = GROUPS.map((row) => ({ ...row, kinds: [], area: 0 }));
	for (const kind of frames) {
		const flags = new Set(kind.flags);
		const mine = groups.find((row) => row.fits((flag) => flags.has(flag)));
		mine.kinds.push({ ...kind, area: kind.size_bytes });
		mine.area += kind.size_bytes;
	}
	for (const mine of groups) mine.kinds.sort((a, b) => b.area - a.area);
	return groups.filter((mine) => mine.area).sort((a, b) => b.area - a.area);
}

function boxed(element, { x, y, width, height }) {
	Object.assign(element.style, {
		left: `${x}px`,
		top: `${y}px`,
		width: `${Math.max(0, width)}px`,
		height: `${Math.max(0, height)}px`,
	});
	return element;
}

// A group with its combinations inside. Each says what it is to those who point at it, and to those who hear it.
function tile(mine, box, all) {
	const share = `${size(mine.area)}, ${percent(mine.area / all)}%`;
	const head = box.height > 40 && box.width > 70 ? 22 : 0;
	const element = boxed(
		h(
			'div',
			{
				class: `tile frame-${mine.name}`,
				role: 'listitem',
				tabindex: 0,
				'aria-label': `${mine.label}: ${share}`,
				title: `${mine.label}: ${share}${mine.help ? `\n${mine.help}` : ''}`,
			},
			head ? h('div', { class: 'tile-head' }, h('b', null, mine.label), ` ${share}`) : null,
		),
		box,
	);
	for (const inner of squarify(mine.kinds, {
		x: 1,
		y: head,
		width: Math.max(0, box.width - 4),
		height: Math.max(0, box.height - head - 4),
	})) {
		if (inner.width < 3 || inner.height < 3) continue;
		const words = inner.item.flags.join(' ') || 'no flags';
		element.append(
			boxed(
				h(
					'div',
					{
						class: 'tile-part',
						title: `${words}\n${size(inner.item.size_bytes)}, ${plural(inner.item.page_count, 'frame')}`,
					},
					inner.width > 90 && inner.height > 30
						? `${size(inner.item.size_bytes)} ${words}`
						: '',
				),
				inner,
			),
		);
	}
	return element;
}

class Treemap {
	constructor(groups) {
		this.groups = groups;
		this.without = new Set();
		this.picture = h('div', { class: 'treemap', role: 'list', 'aria-label': 'physical memory by kind' });
		this.element = h(
			'div',
			null,
			h(
				'p',
				{ class: 'tools' },
				groups.map((mine) => this.toggle(mine)),
			),
			this.picture,
		);
		this.watcher = new ResizeObserver(() => this.draw());
		this.watcher.observe(this.picture);
	}

	// Leaves a kind out of the picture, so that the others have its room.
	toggle(mine) {
		const swatch = h('i', { class: `swatch frame-${mine.name}` });
		const made = button(
			[swatch, ` ${mine.label}`],
			() => {
				if (!this.without.delete(mine)) this.without.add(mine);
				made.setAttribute('aria-pressed', !this.without.has(mine));
				this.draw();
			},
			{
				class: 'toggle',
				'aria-pressed': 'true',
				title: `${mine.help ?? mine.label}; press to leave it out of the picture, or to bring it back`,
			},
		);
		return made;
	}

	// Shares are those of all memory, whatever is left out.
	draw() {
		const all = this.groups.reduce((sum, mine) => sum + mine.area, 0);
		const shown = this.groups.filter((mine) => !this.without.has(mine));
		const box = { x: 0, y: 0, width: this.picture.clientWidth, height: this.picture.clientHeight };
		this.picture.replaceChildren(
			...squarify(shown, box).map(({ item, ...where }) => tile(item, where, all)),
		);
	}

	close() {
		this.watcher.disconnect();
	}
}

function table(groups, all) {
	const rows = groups.flatMap((mine) =>
		mine.kinds.map((kind, i) =>
			h(
				'tr',
				null,
				h(
					'td',
					null,
					i ? '' : [h('i', { class: `swatch frame-${mine.name}` }), ` ${mine.label}`],
				),
				h('td', { class: 'end' }, size(kind.size_bytes)),
				h('td', { class: 'end' }, `${percent(kind.size_bytes / all)}%`),
				h('td', { class: 'end' }, count(kind.page_count)),
				h(
					'td',
					null,
					kind.flags.length
						? kind.flags.map((flag) =>
								h(
									'span',
									{ class: 'flag', title: kpageflags.get(flag) },
									flag,
								),
							)
						: 'none',
				),
			),
		),
	);
	return h(
		'div',
		{ class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'frames by flags' },
		h(
			'table',
			null,
			h('caption', { class: 'unseen' }, 'page frames by flags'),
			h(
				'thead',
				null,
				h(
					'tr',
					null,
					h('th', { scope: 'col' }, 'Kind'),
					['Size', 'Share', 'Frames'].map((name) =>
						h('th', { scope: 'col', class: 'end' }, name),
					),
					h('th', { scope: 'col' }, 'Flags'),
				),
			),
			h('tbody', null, rows),
		),
	);
}

export function framesView(main, _, explain) {
	const stop = new AbortController();
	const fresh = new Freshness();
	const answer = h(
		'div',
		null,
		h(
			'p',
			{ class: 'waiting' },
			'This goes through every page frame of the host, so it is asked when you press the button, and never by itself. It is for root.',
		),
	);
	let picture = null;

	async function load() {
		start.disabled = true;
		answer.replaceChildren(waiting('going through all frames …'));
		try {
			const { reply, cost } = await ask('/v1/frames?deadline_ms=20000', { signal: stop.signal });
			const groups = group(reply.frames);
			const all = groups.reduce((sum, mine) => sum + mine.area, 0);
			fresh.set(cost, `${reply.source}, ${verdict(reply)}`);
			picture?.close();
			picture = new Treemap(groups);
			answer.replaceChildren(
				h(
					'p',
					{ class: 'answer' },
					`${size(all)} in ${plural(reply.total_page_count, 'frame')}, ${plural(reply.count, 'combination')} of flags`,
				),
				picture.element,
				table(groups, all),
			);
		} catch (error) {
			answer.replaceChildren(explain(error, load) ?? '');
		} finally {
			start.disabled = false;
		}
	}

	const start = button('Look at all frames', load, { class: 'primary' });
	document.title = 'physical memory - vmad';
	main.append(
		h(
			'section',
			{ class: 'page' },
			h(
				'div',
				{ class: 'bar-top' },
				h('h1', null, 'Physical memory by kind'),
				h('span', { class: 'grow' }),
				start,
				copyButton('Copy as vmactl', () => 'vmactl frames'),
			),
			h('p', { class: 'line' }, fresh.element),
			answer,
		),
	);
	return {
		close() {
			stop.abort();
			fresh.close();
			picture?.close();
		},
	};
}
