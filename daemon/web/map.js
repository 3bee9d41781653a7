// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The map of an address space on a canvas: low addresses on top, as /proc/PID/maps has them. From the left: the whole of it
 * with a frame around what is in sight; addresses; the VMAs in the colours of their kinds; and, once somebody asked for
 * them, the states of pages beside them.
 *
 * One pass over the VMAs in sight draws a frame. Those that are less than a pixel high are added up by pixel and kind, so
 * that 60,000 of them cost no more than a screen full of pixels.
 */
import { addressOf } from './address.js';
import { kinds } from './tables.js';
import { shortMapping, size } from './format.js';
import { STATES } from './pages.js';

export const KINDS = [...kinds.keys()];

const OVERVIEW = 14; // pixels: the strip with the whole
const GUTTER = 112; // the addresses
const LANE = 0.34; // of the rest: the states of pages, where they are known
const TICKS = 100; // pixels from one address in the gutter to the next, where no VMA begins
const TALL = 13; // a VMA that is as high has room for words
const PAGE_TALL_MOST = 24; // one page is never higher, so zooming ends there
const FONT = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

// A canvas takes colours, not properties: an element says what they come to, light or dark.
function colours() {
	const probe = document.body.appendChild(document.createElement('i'));
	const style = getComputedStyle(probe);
	const get = (name) => {
		probe.style.color = `var(${name})`;
		return style.color;
	};
	const found = {
		kinds: KINDS.map((kind) => get(`--kind-${kind}`)),
		states: STATES.map(({ name }) => get(`--page-${name}`)),
		paper: get('--paper'),
		sunk: get('--sunk'),
		line: get('--line'),
		ink: get('--ink'),
		faint: get('--faint'),
		mark: get('--mark'),
		onKind: get('--on-kind'),
	};

	probe.remove();
	return found;
}

export class MemoryMap {
	// onhover(place, x, y), onpick(place), onview(): place is {index, page} of Layout.pageAt, or null.
	constructor({ onhover, onpick, onview }) {
		Object.assign(this, { onhover, onpick, onview });
		this.canvas = document.createElement('canvas');
		this.canvas.className = 'map';
		this.canvas.tabIndex = 0;
		this.canvas.setAttribute('role', 'application');
		this.canvas.setAttribute('aria-roledescription', 'map of an address space');
		this.layout = null;
		this.pages = null;
		this.marks = new Set(); // indexes of VMAs that match the search
		this.selected = null; // page
		this.top = 0; // unit at the upper edge
		this.perUnit = 1; // pixels
		this.pointers = new Map();
		this.frames = []; // how long each drawing took, ms: the last ones
		this.restyle();
		this.listen();
		this.watcher = new ResizeObserver(() => this.resize());
		this.watcher.observe(this.canvas);
	}

	restyle() {
		this.colours = colours();
		this.overview = null;
		this.dirty();
	}

	close() {
		this.watcher.disconnect();
		cancelAnimationFrame(this.planned);
	}

	resize() {
		const ratio = devicePixelRatio || 1;
		const whole = this.layout && this.perUnit <= this.least() * 1.001;
		this.width = this.canvas.clientWidth;
		this.height = this.canvas.clientHeight;
		this.canvas.width = Math.max(1, Math.round(this.width * ratio));
		this.canvas.height = Math.max(1, Math.round(this.height * ratio));
		this.canvas.getContext('2d').setTransform(ratio, 0, 0, ratio, 0, 0);
		this.overview = null;
		if (this.layout) this.look(whole ? 0 : this.top, whole ? 0 : this.perUnit);
	}

	// Another layout: what was in the middle stays there, if it can.
	setLayout(layout, keep) {
		const middle =
			keep && this.layout ? this.layout.pageAt(this.top + this.height / 2 / this.perUnit).page : null;
		const zoom = this.layout ? this.perUnit / this.least() : 1;
		this.layout = layout;
		this.overview = null;
		const perUnit = this.least() * zoom;
		this.look(
			middle === null ? 0 : layout.unitOf(middle) - this.height / 2 / perUnit,
			middle === null ? 0 : perUnit,
		);
	}

	least() {
		return (this.height || 1) / this.layout.total;
	}

	most() {
		const unitsOfPage = this.layout.scale === 'size' ? 1 : 1 / 4096;
		return Math.max(this.least() * 4, PAGE_TALL_MOST / unitsOfPage);
	}

	// Looks from a unit on, at a zoom; both are brought within what there is.
	look(top, perUnit) {
		this.perUnit = Math.min(this.most(), Math.max(this.least(), perUnit));
		this.top = Math.max(0, Math.min(this.layout.total - this.height / this.perUnit, top));
		this.dirty();
		this.onview?.();
	}

	zoom(factor, y = this.height / 2) {
		const unit = this.top + y / this.perUnit;
		const perUnit = Math.min(this.most(), Math.max(this.least(), this.perUnit * factor));
		this.look(unit - y / perUnit, perUnit);
	}

	pan(pixels) {
		this.look(this.top + pixels / this.perUnit, this.perUnit);
	}

	// Brings a range of pages into sight with room around it; wide: only as near as needed.
	show(lo, hi, wide) {
		const from = this.layout.unitOf(lo);
		const to = this.layout.unitOf(hi);
		const perUnit = wide ? this.perUnit : (this.height * 0.6) / Math.max(to - from, Number.EPSILON);
		const near = Math.min(this.most(), Math.max(this.least(), perUnit));
		if (wide && from >= this.top && to <= this.top + this.height / near) return this.dirty();
		return this.look((from + to) / 2 - this.height / 2 / near, near);
	}

	select(page) {
		this.selected = page;
		this.dirty();
	}

	// Pages in sight: [lo, hi)
	sight() {
		const lo = this.layout.pageAt(this.top).page ?? this.layout.vmas[0]?.lo ?? 0;
		const hi =
			this.layout.pageAt(this.top + this.height / this.perUnit - 1e-9).page ??
			this.layout.vmas.at(-1)?.hi ??
			0;
		return [lo, hi + 1];
	}

	dirty() {
		if (!this.planned)
			this.planned = requestAnimationFrame(() => {
				this.planned = 0;
				this.draw();
			});
	}

	// Pixels of the VMAs' column, and of the pages' lane beside it.
	columns() {
		const left = OVERVIEW + GUTTER;
		const rest = this.width - left - 6;
		const lane = this.pages?.runs.length ? Math.floor(rest * LANE) : 0;
		return { left, vmas: rest - lane - (lane ? 4 : 0), lane, laneLeft: left + rest - lane };
	}

	draw() {
		if (!this.layout || !this.height) return;
		const began = performance.now();
		const paint = this.canvas.getContext('2d');
		paint.fillStyle = this.colours.paper;
		paint.fillRect(0, 0, this.width, this.height);
		paint.font = FONT;
		paint.textBaseline = 'middle';
		this.drawOverview(paint);
		this.drawVmas(paint);
		if (this.pages?.runs.length) this.drawPages(paint);
		this.drawSelected(paint);
		this.frames.push(performance.now() - began);
		if (this.frames.length > 600) this.frames.shift();
	}

	/*
	 * Adds VMAs from one unit on up by pixel and kind, and calls large(i, y0, y1) for those that are a pixel high or more.
	 */
	sum(first, top, perUnit, height, large) {
		const { at, to, vmas } = this.layout;
		const sums = new Float32Array(height * KINDS.length);
		for (let i = first; i < vmas.length; i++) {
			const y0 = (at[i] - top) * perUnit;
			if (y0 >= height) break;
			const y1 = (to[i] - top) * perUnit;
			if (y1 - y0 >= 1) large(i, y0, y1);
			else if (y1 > 0)
				sums[Math.max(0, Math.floor(y0)) * KINDS.length + vmas[i].kindIndex] += y1 - y0;
		}
		return sums;
	}

	paintSums(paint, sums, left, width, height) {
		for (let y = 0; y < height; y++) {
			let x = left;
			let all = 0;
			for (let k = 0; k < KINDS.length; k++) all += sums[y * KINDS.length + k];
			if (!all) continue;
			for (let k = 0; k < KINDS.length; k++) {
				const part = (sums[y * KINDS.length + k] / all) * width;
				if (!part) continue;
				paint.fillStyle = this.colours.kinds[k];
				paint.fillRect(x, y, part, 1);
				x += part;
			}
		}
	}

	// The whole of it changes only with the layout: drawn once, and copied from then on.
	drawOverview(paint) {
		const height = Math.floor(this.height);
		const ratio = devicePixelRatio || 1;
		if (!this.overview) {
			this.overview = new OffscreenCanvas(OVERVIEW * ratio, height * ratio);
			const own = this.overview.getContext('2d');
			own.scale(ratio, ratio);
			own.fillStyle = this.colours.sunk;
			own.fillRect(0, 0, OVERVIEW, height);
			const sums = this.sum(0, 0, this.least(), height, (i, y0, y1) => {
				own.fillStyle = this.colours.kinds[this.layout.vmas[i].kindIndex];
				own.fillRect(0, y0, OVERVIEW, y1 - y0);
			});
			this.paintSums(own, sums, 0, OVERVIEW, height);
		}
		paint.drawImage(this.overview, 0, 0, OVERVIEW, height);
		const y = this.top * this.least();
		const tall = Math.max(3, (this.height / this.perUnit) * this.least());
		paint.strokeStyle = this.colours.ink;
		paint.lineWidth = 2;
		if (tall < this.height - 2) paint.strokeRect(1, y + 1, OVERVIEW - 2, tall - 2);
	}

	drawVmas(paint) {
		const { left, vmas: width } = this.columns();
		const height = Math.floor(this.height);
		const first = Math.max(0, this.layout.indexAt(this.top));
		const labels = [];
		this.drawGaps(paint, first, left, width);
		const sums = this.sum(first, this.top, this.perUnit, height, (i, y0, y1) => {
			const a = Math.max(0, y0);
			const b = Math.min(height, y1);
			paint.fillStyle = this.colours.kinds[this.layout.vmas[i].kindIndex];
			paint.fillRect(left, a, width, b - a - (y1 - y0 > 3 ? 0.75 : 0));
			if (b - a >= TALL) labels.push([i, a, b, y0]);
		});
		this.paintSums(paint, sums, left, width, height);
		this.drawMarks(paint, first, left + width);
		this.drawLabels(paint, labels, left, width);
	}

	// Unmapped: hatched by a dashed line, with its size where there is room.
	drawGaps(paint, first, left, width) {
		const { at, to, vmas } = this.layout;
		const end = this.top + this.height / this.perUnit;
		paint.strokeStyle = this.colours.line;
		paint.fillStyle = this.colours.faint;
		paint.lineWidth = 1;
		paint.setLineDash([3, 3]);
		for (let i = first; i + 1 < vmas.length && to[i] < end; i++) {
			const tall = (at[i + 1] - to[i]) * this.perUnit;
			if (tall < 4) continue;
			const y = (to[i] - this.top) * this.perUnit;
			const middle = (Math.max(0, y) + Math.min(this.height, y + tall)) / 2;
			if (tall >= TALL) {
				const text = `unmapped ${size((vmas[i + 1].lo - vmas[i].hi) * 4096)}`;
				paint.fillText(text, left + 6, middle, width - 12);
			} else {
				paint.beginPath();
				paint.moveTo(left, Math.round(middle) + 0.5);
				paint.lineTo(left + width, Math.round(middle) + 0.5);
				paint.stroke();
			}
		}
		paint.setLineDash([]);
	}

	// What the search found: a notch at the right edge, at least two pixels high.
	drawMarks(paint, first, right) {
		const { at, to, vmas } = this.layout;
		if (!this.marks.size) return;
		paint.fillStyle = this.colours.mark;
		let last = -9;
		for (let i = first; i < vmas.length; i++) {
			const y = (at[i] - this.top) * this.perUnit;
			if (y > this.height) break;
			if (!this.marks.has(i) || (to[i] - this.top) * this.perUnit < last + 1) continue;
			const tall = Math.max(2, (to[i] - at[i]) * this.perUnit - 1);
			paint.fillRect(right - 5, y, 5, tall);
			last = y + tall;
		}
	}

	drawLabels(paint, labels, left, width) {
		const said = [];
		for (const [i, a, b, y0] of labels) {
			const vma = this.layout.vmas[i];
			const middle = Math.min((a + b) / 2, a + 10);
			const text = `${shortMapping(vma)}  ${vma.perms}  ${size(vma.size_bytes)}`;
			paint.fillStyle = this.colours.onKind;
			paint.save();
			paint.beginPath();
			paint.rect(left, a, width - 6, b - a);
			paint.clip();
			paint.fillText(text, left + 6, middle);
			paint.restore();
			if (y0 >= -1 && a >= (said.at(-1) ?? -99) + 14) {
				paint.fillStyle = this.colours.faint;
				paint.fillText(vma.start.slice(2), OVERVIEW + 6, Math.max(a, 1) + 7, GUTTER - 10);
				said.push(a);
			}
		}
		if (this.perUnit > this.least() * 1.001) this.drawTicks(paint, said);
	}

	// Near by there may be no VMA that begins in sight: then addresses stand between, each with a line where it is.
	drawTicks(paint, said) {
		for (let y = TICKS / 2; y < this.height - TALL; y += TICKS) {
			const { page } = this.placeAt(y);
			if (page === null || said.some((other) => Math.abs(other - y) < TICKS / 2)) continue;
			paint.fillStyle = this.colours.line;
			paint.fillRect(OVERVIEW + 6, Math.round(y), GUTTER - 12, 1);
			paint.fillStyle = this.colours.faint;
			paint.fillText(addressOf(page).toString(16), OVERVIEW + 6, y + 8, GUTTER - 10);
		}
	}

	// Each pixel of the lane shows what part of the pages behind it is in which state.
	drawPages(paint) {
		const { lane, laneLeft } = this.columns();
		const { layout, pages } = this;
		const height = Math.floor(this.height);
		const sums = new Float32Array(height * STATES.length);
		const [lo, hi] = this.sight();
		paint.fillStyle = this.colours.sunk;
		paint.fillRect(laneLeft, 0, lane, height);
		for (let r = pages.indexOf(lo); r < pages.runs.length && pages.runs[r].lo < hi; r++) {
			const run = pages.runs[r];
			for (
				let i = Math.max(0, layout.indexOfPage(run.lo));
				i < layout.vmas.length && layout.vmas[i].lo < run.hi;
				i++
			) {
				const vma = layout.vmas[i];
				const from = Math.max(run.lo, vma.lo, lo);
				const to = Math.min(run.hi, vma.hi, hi);
				if (from < to) this.addRun(paint, sums, run.state, from, to, height);
			}
		}
		for (let y = 0; y < height; y++) {
			let x = laneLeft;
			for (let s = 0; s < STATES.length; s++) {
				const part = Math.min(1, sums[y * STATES.length + s]) * lane;
				if (part) {
					paint.fillStyle = this.colours.states[s];
					paint.fillRect(x, y, Math.min(part, laneLeft + lane - x), 1);
					x += part;
				}
			}
		}
		this.drawPageLines(paint, laneLeft, lane, lo, hi);
	}

	addRun(paint, sums, state, from, to, height) {
		const y0 = (this.layout.unitOf(from) - this.top) * this.perUnit;
		const last = this.layout.unitOf(to - 1);
		const i = this.layout.indexOfPage(from);
		const onePage =
			(this.layout.to[i] - this.layout.at[i]) / (this.layout.vmas[i].hi - this.layout.vmas[i].lo);
		const y1 = (last + onePage - this.top) * this.perUnit;
		for (let y = Math.max(0, Math.floor(y0)); y < Math.min(height, y1); y++)
			sums[y * STATES.length + state] += Math.min(y + 1, y1) - Math.max(y, y0);
	}

	// Near enough to tell pages apart: a line between them.
	drawPageLines(paint, left, width, lo, hi) {
		const i = this.layout.indexOfPage(lo + (hi - lo) / 2);
		if (i < 0 || hi - lo > this.height / 4) return;
		paint.fillStyle = this.colours.paper;
		for (let page = lo; page < hi; page++)
			paint.fillRect(left, (this.layout.unitOf(page) - this.top) * this.perUnit - 0.5, width, 1);
	}

	drawSelected(paint) {
		if (this.selected === null) return;
		const { left } = this.columns();
		const from = this.layout.unitOf(this.selected);
		const y = (from - this.top) * this.perUnit;
		const i = this.layout.indexOfPage(this.selected);
		const inside = i >= 0 && this.selected < this.layout.vmas[i].hi;
		const onePage = inside
			? (this.layout.to[i] - this.layout.at[i]) / (this.layout.vmas[i].hi - this.layout.vmas[i].lo)
			: 0;
		const tall = Math.max(2, onePage * this.perUnit);
		if (inside) {
			const a = (this.layout.at[i] - this.top) * this.perUnit;
			const b = (this.layout.to[i] - this.top) * this.perUnit;
			paint.strokeStyle = this.colours.ink;
			paint.lineWidth = 2;
			paint.strokeRect(left + 1, a, this.width - left - 8, Math.max(3, b - a - 1));
		}
		paint.fillStyle = this.colours.mark;
		paint.fillRect(left - 10, y - 1 + tall / 2, this.width - left + 6, tall > 3 ? 1.5 : 2);
		paint.beginPath();
		paint.moveTo(left - 12, y + tall / 2 - 5);
		paint.lineTo(left - 3, y + tall / 2);
		paint.lineTo(left - 12, y + tall / 2 + 5);
		paint.fill();
	}

	placeAt(y) {
		return this.layout ? this.layout.pageAt(this.top + y / this.perUnit) : { index: -1, page: null };
	}

	listen() {
		const { canvas } = this;
		canvas.addEventListener('wheel', (event) => this.onwheel(event), { passive: false });
		canvas.addEventListener('pointerdown', (event) => this.onpointerdown(event));
		canvas.addEventListener('pointermove', (event) => this.onpointermove(event));
		for (const end of ['pointerup', 'pointercancel'])
			canvas.addEventListener(end, (event) => this.onpointerup(event));
		canvas.addEventListener('pointerleave', () => this.onhover?.(null));
		canvas.addEventListener('dblclick', (event) => {
			const { index } = this.placeAt(event.offsetY);
			if (index >= 0) this.show(this.layout.vmas[index].lo, this.layout.vmas[index].hi);
		});
	}

	onwheel(event) {
		if (!this.layout) return;
		event.preventDefault();
		if (event.shiftKey) this.pan(event.deltaY || event.deltaX);
		else this.zoom(Math.exp(-event.deltaY * 0.0025), event.offsetY);
	}

	onpointerdown(event) {
		this.canvas.setPointerCapture(event.pointerId);
		this.pointers.set(event.pointerId, { y: event.offsetY, x: event.offsetX });
		this.moved = 0;
		this.steers = event.offsetX < OVERVIEW + 2;
		if (this.steers) this.steer(event.offsetY);
	}

	// In the strip: what is pressed comes into the middle.
	steer(y) {
		this.look(y / this.least() - this.height / 2 / this.perUnit, this.perUnit);
	}

	onpointermove(event) {
		const before = this.pointers.get(event.pointerId);
		if (!this.layout) return;
		if (!before) {
			this.onhover?.(this.placeAt(event.offsetY), event.offsetX, event.offsetY);
			return;
		}
		const dy = event.offsetY - before.y;
		this.moved += Math.abs(dy);
		if (this.steers) this.steer(event.offsetY);
		else if (this.pointers.size === 2) this.pinch(event);
		else this.pan(-dy);
		this.pointers.set(event.pointerId, { y: event.offsetY, x: event.offsetX });
	}

	pinch(event) {
		const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
		const before = this.pointers.get(event.pointerId);
		const far = (at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
		this.zoom(far({ x: event.offsetX, y: event.offsetY }) / far(before), (event.offsetY + other.y) / 2);
	}

	onpointerup(event) {
		const was = this.pointers.delete(event.pointerId);
		if (was && event.type === 'pointerup' && this.moved < 4 && !this.steers && this.layout)
			this.onpick?.(this.placeAt(event.offsetY));
	}
}
