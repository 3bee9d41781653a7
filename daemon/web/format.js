// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and names as people read them: as vmactl prints them.

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P', 'E'];

// 1.6M; three digits at most
export function size(bytes) {
	let value = bytes;
	let unit = 0;
	while (value >= 1024 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${value < 10 && unit && value % 1 >= 0.05 ? value.toFixed(1) : Math.floor(value)}${UNITS[unit]}`;
}

const grouped = new Intl.NumberFormat('en');

export function count(number) {
	return grouped.format(number);
}

// "1 VMA", "2 VMAs"
export function plural(number, noun, many = `${noun}s`) {
	return `${count(number)} ${number === 1 ? noun : many}`;
}

export function percent(ratio) {
	const value = ratio * 100;
	return value >= 9.95 ? `${Math.round(value)}` : value.toFixed(1);
}

export function duration(ms) {
	if (ms < 1) return `${ms.toFixed(2)} ms`;
	if (ms < 10) return `${ms.toFixed(1)} ms`;
	return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// How long ago, coarse enough not to flicker.
export function ago(ms) {
	const seconds = Math.floor(ms / 1000);
	if (seconds < 1) return 'just now';
	if (seconds < 60) return `${seconds} s ago`;
	return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

// Control characters, and those that turn the direction of what follows, are shown and not obeyed.
export function visible(text) {
	return text.replace(
		/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
		(c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}

export function basename(path) {
	return path.slice(path.lastIndexOf('/') + 1) || path;
}

// What a VMA shows: its path, its name, or its kind.
export function mapping(vma) {
	const what = vma.path ?? vma.name;
	return what === undefined ? '' : visible(what) + (vma.deleted && vma.path !== undefined ? ' (deleted)' : '');
}

export function shortMapping(vma) {
	if (vma.kind === 'shared-anon')
		// its path is that of /dev/zero, which nobody opened
		return vma.kind;
	return vma.path !== undefined
		? visible(basename(vma.path))
		: vma.name !== undefined
			? visible(vma.name)
			: vma.kind;
}
