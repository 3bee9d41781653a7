// SPDX-License-Identifier: GPL-2.0-or-later
// The states of pages, as far as somebody asked for them: runs that are alike, over the ranges that were looked at.
import { ask } from './api.js';
import { addressOf, hex, pageOf } from './address.js';

// What a page is, by the first that fits; the colour is --page-NAME of style.css.
export const STATES = [
	{
		name: 'huge',
		label: 'huge',
		help: 'present, mapped by one entry of a higher page table (huge page)',
		fits: (run) => run.state === 'present' && run.flags.includes('huge-mapped'),
	},
	{
		name: 'zero',
		label: 'zero page',
		help: 'present: the page of zeros, read and never written',
		fits: (run) => run.state === 'present' && run.flags.includes('zero'),
	},
	{
		name: 'own',
		label: 'own',
		help: 'present, and mapped nowhere else',
		fits: (run) => run.state === 'present' && run.flags.includes('exclusive'),
	},
	{
		name: 'shared',
		label: 'shared',
		help: 'present, and mapped elsewhere too: by a fork, or of a file',
		fits: (run) => run.state === 'present',
	},
	{ name: 'swapped', label: 'swapped', help: 'swapped out', fits: (run) => run.state === 'swapped' },
	{
		name: 'guard',
		label: 'guard, marker',
		help: 'a guard page, or a mark of the kernel',
		fits: (run) => run.state === 'guard' || run.state === 'marker',
	},
	{ name: 'none', label: 'untouched', help: 'nothing yet: the first access brings a page', fits: () => true },
];

const LIMIT = 50000; // runs of one question

export class Pages {
	constructor() {
		this.runs = []; // ascending: {lo, hi, state, run}
	}

	// What is known of a range gives way to what is said of it now.
	add(found) {
		if (!found.length) return;
		const lo = found[0].lo;
		const hi = found.at(-1).hi;
		const kept = [];
		for (const run of this.runs) {
			if (run.lo < lo) kept.push({ ...run, hi: Math.min(run.hi, lo) });
			if (run.hi > hi) kept.push({ ...run, lo: Math.max(run.lo, hi) });
		}
		this.runs = [...kept, ...found].sort((a, b) => a.lo - b.lo);
	}

	// The first run that ends above a page.
	indexOf(page) {
		let low = 0;
		let high = this.runs.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.runs[middle].hi > page) high = middle;
			else low = middle + 1;
		}
		return low;
	}

	at(page) {
		const run = this.runs[this.indexOf(page)];
		return run && run.lo <= page ? run : null;
	}
}

/*
 * Asks for the pages of a range; it walks the page tables of the process, so it is asked by hand only. {runs, tail, cost,
 * end}: end is the page up to which it was answered.
 */
export async function askPages(process, lo, hi, signal) {
	const path = `/v1/processes/${process.pid}/pages?detail=flags&start=${hex(addressOf(lo))}&end=${hex(addressOf(hi))}&limit=${LIMIT}&start_time_ticks=${process.ticks}`;
	const { reply, cost } = await ask(path, { signal });
	const runs = reply.runs.map((run) => ({
		lo: pageOf(run.start),
		hi: pageOf(run.end),
		state: STATES.findIndex((state) => state.fits(run)),
		run,
	}));
	return { runs, tail: reply, cost };
}
