// SPDX-License-Identifier: GPL-2.0-or-later
// The page: which view the address means, what is said when vmad is gone, light or dark.
import { Gone, Problem, ask, takeToken } from './api.js';
import { announce, h } from './dom.js';
import { problemBox } from './status.js';
import { processesView } from './processes.js';
import { spaceView } from './space.js';
import { mappersView } from './mappers.js';
import { framesView } from './frames.js';
import { hereView } from './here.js';

const RETRY_MS = 2000;

/*
 * Addresses of views. A process is its pid and, behind a dot, the start time that makes it one process for ever:
 * #/p/4242.991/0x7f10a2c4d123/mappings
 */
const PROCESS = '(?<pid>[0-9]+)(?:\\.(?<ticks>[0-9]+))?';
const ADDRESS = '(?<address>0x[0-9a-f]{1,16})';
const VIEWS = [
	{ name: 'processes', pattern: /^\/?$/, make: processesView },
	{ name: 'space', pattern: new RegExp(`^/p/${PROCESS}(?:/${ADDRESS})?$`), make: spaceView },
	{ name: 'mappers', pattern: new RegExp(`^/p/${PROCESS}/${ADDRESS}/mappings$`), make: mappersView },
	{ name: 'frames', pattern: /^\/frames$/, make: framesView },
	{ name: 'here', pattern: /^\/here$/, make: hereView },
];

const main = document.getElementById('main');
const gone = document.getElementById('gone');
let view = null;
let watch = 0;

// Until vmad answers again; then the view is asked for what it shows.
function watchForReturn() {
	clearTimeout(watch);
	watch = setTimeout(async () => {
		if (document.hidden) return watchForReturn();
		try {
			await ask('/v1/health');
			watch = 0;
			gone.hidden = true;
			announce('vmad is back');
			view?.retry?.();
		} catch {
			watchForReturn();
		}
		return undefined;
	}, RETRY_MS);
}

/*
 * What every view does with an error. Returns a box to show, or null where there is nothing to show: what was asked is no
 * longer wanted, or vmad is gone, which is said above all views while what they show stays.
 */
function explain(error, retry) {
	if (error.name === 'AbortError') return null;
	if (error instanceof Gone) {
		gone.textContent = `${error.message}. What is shown is from before; it is asked again every ${RETRY_MS / 1000} s.`;
		gone.hidden = false;
		if (!watch) watchForReturn();
		return null;
	}
	if (!(error instanceof Problem)) console.error(error);
	return problemBox(error, retry);
}

function show() {
	const path = location.hash.replace(/^#/, '');
	const found = VIEWS.map((row) => ({ row, match: row.pattern.exec(path) })).find(({ match }) => match);
	if (found && view?.name === found.row.name && view.follow?.({ ...found.match.groups })) return;
	view?.close?.();
	main.replaceChildren();
	document.title = 'vmad';
	for (const link of document.querySelectorAll('[data-view]'))
		link.toggleAttribute('aria-current', link.dataset.view === found?.row.name);
	view = found ? found.row.make(main, { ...found.match.groups }, explain) : null;
	if (view) view.name = found.row.name;
	else
		main.append(
			h(
				'div',
				{ class: 'notice bad' },
				h('strong', null, 'There is no such view. '),
				h('a', { href: '#/' }, 'The processes'),
			),
		);
}

function isTyping(event) {
	return event.target.closest?.('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey;
}

// "/" goes to the search of the view, as on many pages.
function onkey(event) {
	const search = main.querySelector('[data-search]');
	if (event.key === '/' && search && !isTyping(event)) {
		event.preventDefault();
		search.focus();
		search.select();
	}
}

const THEMES = ['', 'light', 'dark'];

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	localStorage.setItem('vmad-theme', theme);
	document.getElementById('theme').title = `${theme || 'light or dark as the system has it'}; press to change`;
	view?.restyle?.();
}

takeToken();
setTheme(localStorage.getItem('vmad-theme') ?? '');
document.getElementById('theme').addEventListener('click', () => {
	setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => view?.restyle?.());
addEventListener('hashchange', () => {
	takeToken();
	show();
});
addEventListener('keydown', onkey);
show();
