// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses. They have 64 bits and a number of JavaScript 53; so they are strings ("0x7f10a2c4d123") where they are told,
// BigInts where they are added, and numbers of 4 KiB pages, which fit, where they are drawn.

const PAGE_BITS = 12n;

export const PAGE = 4096;

export function hex(address) {
	return `0x${address.toString(16)}`;
}

// "0x7f10a2c28000" as a number of pages; its last three digits are dropped
export function pageOf(text) {
	return text.length > 5 ? parseInt(text.slice(2, -3), 16) : 0;
}

export function addressOf(page) {
	return BigInt(page) << PAGE_BITS;
}

export function pageOfAddress(address) {
	return Number(address >> PAGE_BITS);
}

export function bare(text) {
	return text.replace(/^0x/, '');
}

// An address as people write it: hex, with or without 0x; or null.
export function parseAddress(text) {
	const digits = text.trim().replace(/`/g, '').replace(/^0x/i, '');
	return /^[0-9a-f]{1,16}$/i.test(digits) ? BigInt(`0x${digits}`) : null;
}

// libc.so.6+0x4d123: {file, offset}, or null
export function parseFileOffset(text) {
	const found = /^\s*(\S.*?)\s*\+\s*(0x[0-9a-f]{1,16}|[0-9a-f]{1,16})\s*$/i.exec(text);
	return found ? { file: found[1], offset: BigInt(`0x${bare(found[2].toLowerCase())}`) } : null;
}

/*
 * What a crash left: a line of dmesg, a backtrace, a register dump. Each address once, in order, with the word before it
 * ("ip", "sp", "at", "#3"). A file with an offset, as "in libc.so.6[4d123,7f10a2c28000+195000]" or "libc.so.6+0x4d123"
 * says it, is found in a process whose layout is another one.
 */
export function parseCrash(text) {
	const found = new Map();
	for (const match of text.matchAll(/\b([^\s+[\]()]+)\[([0-9a-f]+),([0-9a-f]+)\+[0-9a-f]+\]/gi))
		found.set(`${match[1]}+0x${match[2]}`, { file: match[1], offset: BigInt(`0x${match[2]}`) });
	for (const match of text.matchAll(/([\w./-]*[a-z_.][\w./-]*)\s?\(?\+0x([0-9a-f]{1,16})\)?/gi))
		if (/\.so|\//.test(match[1]))
			found.set(`${match[1]}+0x${match[2]}`, { file: match[1], offset: BigInt(`0x${match[2]}`) });
	for (const match of text.matchAll(
		/(?:(#\d+|[a-z][a-z0-9_]*)[:=\s]+)?(?<![\w+])(?:0x([0-9a-f]{4,16})|([0-9a-f]{8,16}))(?![\w+])/gi,
	)) {
		const address = BigInt(`0x${match[2] ?? match[3]}`);
		if (!found.has(hex(address))) found.set(hex(address), { address, word: match[1] });
	}
	return [...found.values()];
}
