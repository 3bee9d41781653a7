// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where each VMA lies in the picture, in units: one unit is a page where it is to scale. Gaps are compressed, so that what
 * is mapped can be seen: they get at most a tenth of the picture together. Scales: "size", to scale; "log", by the logarithm
 * of the size, so that a reservation of 16 TiB leaves room for the rest; "equal", one unit each.
 */
import { pageOf } from './address.js';

const WIDTHS = {
	size: (pages) => pages,
	log: (pages) => 1 + Math.log2(pages),
	equal: () => 1,
};

// What a VMA of a reply needs to be drawn and found: lo and hi, in pages.
export function place(vma) {
	vma.lo = pageOf(vma.start);
	vma.hi = pageOf(vma.end);
	return vma;
}

export class Layout {
	constructor(vmas, scale = 'size') {
		const width = WIDTHS[scale];
		const n = vmas.length;
		let mapped = 0;
		let gaps = 0;
		for (let i = 0; i < n; i++) {
			mapped += width(vmas[i].hi - vmas[i].lo);
			gaps += i && vmas[i].lo !== vmas[i - 1].hi ? 1 : 0;
		}
		const widest = gaps ? Math.max(scale === 'size' ? 0.1 : 0.5, mapped / 10 / Math.max(gaps, 8)) : 0;
		this.vmas = vmas;
		this.scale = scale;
		this.at = new Float64Array(n + 1); // where VMA i begins
		this.to = new Float64Array(n + 1); // and ends
		let at = 0;
		for (let i = 0; i < n; i++) {
			const gap = i ? vmas[i].lo - vmas[i - 1].hi : 0;
			at += gap > 0 ? Math.min(scale === 'size' ? gap : 1, widest) : 0;
			this.at[i] = at;
			at += width(vmas[i].hi - vmas[i].lo);
			this.to[i] = at;
		}
		this.total = at || 1;
	}

	// The last VMA that begins at or before a unit: -1 before the first.
	indexAt(unit) {
		let low = -1;
		let high = this.vmas.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.at[middle] <= unit) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	// The last VMA that begins at or below a page: -1 below the first.
	indexOfPage(page) {
		let low = -1;
		let high = this.vmas.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.vmas[middle].lo <= page) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	// {index, page}: the page under a unit; index -1 where it is a gap, page null outside of all.
	pageAt(unit) {
		const i = this.indexAt(unit);
		if (i < 0) return { index: -1, page: null };
		const vma = this.vmas[i];
		if (unit < this.to[i]) {
			const part = (unit - this.at[i]) / (this.to[i] - this.at[i]);
			return { index: i, page: Math.min(vma.hi - 1, vma.lo + Math.floor(part * (vma.hi - vma.lo))) };
		}
		const next = this.vmas[i + 1];
		if (!next) return { index: -1, page: null };
		const part = (unit - this.to[i]) / (this.at[i + 1] - this.to[i]);
		return { index: -1, page: Math.min(next.lo - 1, vma.hi + Math.floor(part * (next.lo - vma.hi))) };
	}

	// Where a page lies: inside its VMA, or inside its gap.
	unitOf(page) {
		const i = this.indexOfPage(page);
		if (i < 0) return 0;
		const vma = this.vmas[i];
		if (page <= vma.hi)
			return this.at[i] + ((page - vma.lo) / (vma.hi - vma.lo)) * (this.to[i] - this.at[i]);
		const next = this.vmas[i + 1];
		return next
			? this.to[i] + ((page - vma.hi) / (next.lo - vma.hi)) * (this.at[i + 1] - this.to[i])
			: this.total;
	}
}
