// SPDX-License-Identifier: GPL-2.0-or-later
// Elements. Whatever a process says of itself becomes text, never markup: nothing here, or anywhere else, sets innerHTML.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
		else element.setAttribute(name, value === true ? '' : String(value));
	}
	element.append(
		...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
	);
	return element;
}

// h('a', { href, onclick }, 'text', element, [more])
export function h(name, attributes, ...children) {
	return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes, ...children) {
	return fill(document.createElementNS(SVG, name), attributes, children);
}

export function button(label, onclick, attributes) {
	return h('button', { type: 'button', onclick, ...attributes }, label);
}

// For those who hear the page.
export function announce(text) {
	document.getElementById('live').textContent = text;
}

// Where the clipboard is not to be had (http from another host), the text is shown, to be copied by hand.
export async function copy(text, from) {
	try {
		await navigator.clipboard.writeText(text);
		announce(`copied: ${text}`);
		from.classList.add('copied');
		setTimeout(() => from.classList.remove('copied'), 1200);
	} catch {
		const box = h('input', {
			class: 'copybox',
			readonly: true,
			value: text,
			'aria-label': 'to copy by hand',
		});
		from.after(box);
		box.select();
		box.addEventListener('blur', () => box.remove());
	}
}

// A button that copies what make() returns.
export function copyButton(label, make, attributes) {
	const made = button(label, () => copy(make(), made), attributes);
	return made;
}
