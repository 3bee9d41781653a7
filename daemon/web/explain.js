// SPDX-License-Identifier: GPL-2.0-or-later
// Explains one address, as `vmactl show` does: at once out of the list that is shown, then by a question of its own.
import { ask, askList } from './api.js';
import { PAGE, addressOf, bare, hex, pageOfAddress } from './address.js';
import { button, copyButton, h } from './dom.js';
import { count, mapping, plural, shortMapping, size, visible } from './format.js';
import { STATES } from './pages.js';
import { kinds, kpageflags, pageflags, vmflags } from './tables.js';
import { askMappers } from './mappers.js';

const ASK_AFTER_MS = 120; // arrows that run through a list ask for where they stop only

const code = (...words) => h('code', null, ...words);

function vmaLine(vma, brief) {
	return [
		code(`${bare(vma.start)}-${bare(vma.end)}`),
		' ',
		code(vma.perms),
		` ${size(vma.size_bytes)} `,
		h('span', { class: 'kind', title: kinds.get(vma.kind) }, vma.kind),
		' ',
		brief ? shortMapping(vma) : mapping(vma),
	];
}

// What has no file is counted from its start: [heap] + 0x1230.
function offsetOf(vma, address) {
	const into = address - BigInt(vma.start);
	return vma.path === undefined ? into : into + BigInt(vma.offset_bytes);
}

// 0x3123 = 0x3000 (pgoff 0x3) + (address - start)
function fileLine(vma, address) {
	const begin = BigInt(vma.offset_bytes);
	const pgoff = hex(begin / BigInt(PAGE));
	return `offset ${hex(offsetOf(vma, address))} = ${hex(begin)} (pgoff ${pgoff}) + (${hex(address)} − ${vma.start})`;
}

function flagLine(flags) {
	return flags.map((flag) =>
		h(
			'span',
			{ class: 'flag', title: vmflags.get(flag) },
			code(flag),
			` ${vmflags.get(flag) ?? 'not known to this page'}`,
		),
	);
}

// What smaps counts, as far as it is not zero.
function usageLine(record) {
	const parts = Object.entries(record).filter(
		([name, value]) =>
			name.endsWith('_bytes') &&
			value > 0 &&
			!['size_bytes', 'offset_bytes', 'kernel_page_size_bytes', 'mmu_page_size_bytes'].includes(name),
	);
	return parts.length
		? parts.map(([name, value]) =>
				h('span', { class: 'flag' }, `${name.replace('_bytes', '')} ${size(value)}`),
			)
		: ['nothing of it is resident or swapped out'];
}

// vm_operations_struct by symbol: the members that the kernel calls, and when.
function opsLines(ops) {
	const tables = ['vm_ops', 'f_op', 'a_ops'].filter((name) => ops[name]).map((name) => `${name} ${ops[name]}`);
	const called = ops.members.filter((one) => !one.null);
	return [
		h('div', null, tables.length ? code(tables.join('  ')) : (ops.note ?? 'no table')),
		called.map((one) =>
			h('div', null, code(`${one.member} ${one.symbol ?? '(no name)'}`), ` ${one.called ?? ''}`),
		),
	];
}

function flagChips(flags, table) {
	return flags.map((flag) => h('span', { class: 'flag', title: table.get(flag) }, flag));
}

// The page's state: as vmad says it of this page, or as the runs that were asked for before have it.
function pageLine(found, known) {
	const { state, flags, swap } = found.state ? found : known.run;
	const index = STATES.findIndex((one) => one.fits({ state, flags: flags ?? [] }));
	return [
		h('i', { class: `swatch page-${STATES[index].name}` }),
		` ${state} `,
		flagChips(flags ?? [], pageflags),
		swap && `swap area ${swap.area}, page ${count(swap.offset_pages)}`,
	];
}

function frameLine(frame) {
	const words = [
		frame.mapcount === undefined ? null : `mapped ${plural(frame.mapcount, 'time')}`,
		frame.folio_page_count > 1
			? `${count(frame.folio_index + 1)}. of a folio of ${plural(frame.folio_page_count, 'page')}`
			: null,
		frame.node === undefined ? null : `node ${frame.node}`,
		frame.cgroup === undefined ? null : `cgroup ${visible(frame.cgroup)}`,
	];
	return [code(frame.pfn), ` ${words.filter(Boolean).join(', ')} `, flagChips(frame.flags, kpageflags)];
}

export class Explain {
	// view: what the panel needs of the view: process(), layout(), pages(), select(address), askPages(lo, hi), problem(error, retry)
	constructor(view) {
		this.view = view;
		this.element = h('section', { class: 'explain', 'aria-label': 'the address' });
		this.address = null;
		this.clear();
	}

	clear() {
		this.element.replaceChildren(
			h(
				'p',
				{ class: 'waiting' },
				'Choose a VMA in the map or in the table, search for an address or a file, or paste what a crash left.',
			),
		);
	}

	show(address) {
		this.stop?.abort();
		clearTimeout(this.timer);
		this.stop = new AbortController();
		this.address = address;
		this.usage = null;
		this.ops = null;
		this.found = this.guess();
		this.draw();
		this.timer = setTimeout(() => this.ask(this.stop.signal), ASK_AFTER_MS);
	}

	// What the list says, before vmad was asked.
	guess() {
		const layout = this.view.layout();
		const i = layout.indexOfPage(pageOfAddress(this.address));
		const vma = layout.vmas[i];
		const inside = vma && pageOfAddress(this.address) < vma.hi;
		return {
			vma: inside ? vma : null,
			previous: layout.vmas[inside ? i - 1 : i],
			next: layout.vmas[i + 1],
		};
	}

	async ask(signal) {
		const { pid, ticks } = this.view.process();
		try {
			const { reply } = await ask(
				`/v1/processes/${pid}/pages/${hex(this.address)}?start_time_ticks=${ticks}`,
				{ signal },
			);
			this.found = reply;
			this.draw();
		} catch (error) {
			this.say(this.view.problem(error, () => this.ask(signal)));
		}
	}

	// Below what is known already; the last one only.
	say(box) {
		if (!box) return;
		this.element.querySelector('.notice')?.remove();
		this.element.append(box);
		box.scrollIntoView({ block: 'nearest' });
	}

	// What is asked by hand, on top of what is shown.
	async askMore(take) {
		const { signal } = this.stop;
		try {
			await take(this.view.process(), signal);
			this.draw();
		} catch (error) {
			this.say(this.view.problem(error, () => this.askMore(take)));
		}
	}

	askUsage() {
		const { vma } = this.found;
		return this.askMore(async ({ pid, ticks }, signal) => {
			const range = `start=${vma.start}&end=${vma.end}&limit=1`;
			const list = await askList(
				`/v1/processes/${pid}/vmas?detail=usage&${range}&start_time_ticks=${ticks}`,
				{ signal },
			);
			this.usage = list.rows[0] ?? null;
		});
	}

	askOps() {
		return this.askMore(async ({ pid, ticks }, signal) => {
			const path = `/v1/processes/${pid}/vmas/${hex(this.address)}/ops?start_time_ticks=${ticks}`;
			this.ops = (await ask(path, { signal })).reply;
		});
	}

	trust() {
		if (this.found.exact === undefined) return 'from the list that is shown';
		return this.found.exact
			? `true at one moment (${this.found.source})`
			: `put together from several reads (${this.found.source})`;
	}

	draw() {
		const { vma, gap, previous, next } = this.found;
		const row = (name, ...what) => [h('dt', null, name), h('dd', null, ...what)];
		const jump = (target, page) =>
			h(
				'a',
				{
					href: this.link(addressOf(page)),
					onclick: (event) => {
						event.preventDefault();
						this.view.select(addressOf(page));
					},
				},
				...vmaLine(target, true),
			);
		const known = this.view.pages().at(pageOfAddress(this.address));
		this.element.replaceChildren(
			h(
				'h2',
				null,
				code(bare(hex(this.address))),
				' ',
				h(
					'span',
					{ class: 'what' },
					vma ? `${shortMapping(vma)} + ${hex(offsetOf(vma, this.address))}` : 'unmapped',
				),
			),
			h('p', { class: 'line' }, this.trust()),
			h(
				'dl',
				null,
				vma ? row('VMA', ...vmaLine(vma)) : row('gap', ...this.gapLine(gap, next)),
				vma && h('dt', null, 'kind'),
				vma && h('dd', null, kinds.get(vma.kind) ?? vma.kind),
				vma && vma.path !== undefined ? row('file', fileLine(vma, this.address)) : null,
				(this.found.state || known) && row('page', ...pageLine(this.found, known)),
				this.found.frame && row('frame', ...frameLine(this.found.frame)),
				this.usage?.flags && row('flags', ...flagLine(this.usage.flags)),
				this.usage && row('usage', ...usageLine(this.usage)),
				this.ops && row('ops', ...opsLines(this.ops)),
				row(
					'before',
					previous
						? jump(previous, previous.lo ?? pageOfAddress(BigInt(previous.start)))
						: 'nothing is mapped below',
				),
				row(
					'after',
					next
						? jump(next, next.lo ?? pageOfAddress(BigInt(next.start)))
						: 'nothing is mapped above',
				),
			),
			this.actions(vma),
		);
	}

	gapLine(gap, next) {
		const words = this.found.beyond_user_space
			? 'beyond user space: no process can map anything there'
			: `no VMA holds this address: ${next?.kind === 'stack' ? 'the stack above may grow into it, else ' : ''}an access ends in SIGSEGV`;
		return gap
			? [code(`${bare(gap.start)}-${bare(gap.end)}`), ` ${size(gap.size_bytes)} `, words]
			: [words];
	}

	link(address) {
		const { pid, ticks } = this.view.process();
		return `#/p/${pid}.${ticks}/${hex(address)}`;
	}

	actions(vma) {
		const { pid } = this.view.process();
		const address = bare(hex(this.address));
		const lo = vma && pageOfAddress(BigInt(vma.start));
		return h(
			'p',
			{ class: 'actions' },
			vma &&
				button('Who maps this page', () => askMappers(this.link(this.address)), {
					class: 'primary',
					title: 'every process and address that shares it; walks page tables; for root',
				}),
			vma &&
				button(
					'States of its pages',
					() => this.view.askPages(lo, pageOfAddress(BigInt(vma.end))),
					{ title: 'walks the page tables of this VMA' },
				),
			vma &&
				button('What smaps says', () => this.askUsage(), {
					title: 'walks the page tables of this VMA',
				}),
			vma &&
				button('What the kernel calls', () => this.askOps(), {
					title: 'the operations of the VMA by symbol; for root, with the helper module',
				}),
			copyButton('Copy as vmactl', () => `vmactl show ${pid} ${address}`),
			copyButton(
				'Copy link',
				() => `${location.origin}${location.pathname}${this.link(this.address)}`,
			),
		);
	}

	close() {
		this.stop?.abort();
		clearTimeout(this.timer);
	}
}
