// SPDX-License-Identifier: GPL-2.0-or-later
// Questions to vmad. The token comes in the fragment once (vmactl web), stays in this tab's sessionStorage, and leaves the
// address bar at once, so that no history and no screenshot holds it.

const KEY = 'vmad-token';

// An answer that is an error: RFC 9457, and what would mend it.
export class Problem extends Error {
	constructor(status, document) {
		super(document.title ?? `HTTP ${status}`);
		this.status = status;
		this.kind = (document.type ?? '').replace('urn:vmad:problem:', '');
		this.title = this.message;
		this.detail = document.detail;
		this.mend = document.mend;
		this.retryAfter = 0;
	}
}

// No answer at all.
export class Gone extends Error {}

export function takeToken() {
	const found = /^#token=([^&]*)&?(.*)$/.exec(location.hash);
	if (!found) return;
	sessionStorage.setItem(KEY, decodeURIComponent(found[1]));
	history.replaceState(null, '', `${location.pathname}#${found[2] || '/'}`);
}

export function hasToken() {
	return sessionStorage.getItem(KEY) !== null;
}

async function send(path, accept, signal) {
	const token = sessionStorage.getItem(KEY);
	const headers = { Accept: accept };
	if (token) headers.Authorization = `Bearer ${token}`;
	let reply;
	try {
		reply = await fetch(path.replace(/^\//, ''), {
			headers,
			signal,
			cache: 'no-store',
			credentials: 'omit',
			redirect: 'error',
		});
	} catch (error) {
		if (error.name === 'AbortError') throw error;
		throw new Gone('vmad does not answer');
	}
	if (reply.ok) return reply;
	const problem = new Problem(reply.status, await reply.json().catch(() => ({})));
	problem.retryAfter = Number(reply.headers.get('Retry-After') ?? 0);
	throw problem;
}

// What the answer cost vmad, when it was asked, and how long all of it took.
function costOf(reply, began, asked) {
	const timing = /total;dur=([\d.]+)/.exec(reply.headers.get('Server-Timing') ?? '');
	return { asked, daemonMs: timing ? Number(timing[1]) : null, wallMs: performance.now() - began };
}

// One document: {reply, cost}
export async function ask(path, { signal } = {}) {
	const began = performance.now();
	const asked = Date.now();
	const answer = await send(path, 'application/json', signal);
	try {
		return { reply: await answer.json(), cost: costOf(answer, began, asked) };
	} catch (error) {
		throw error.name === 'AbortError' ? error : new Gone('the answer was cut');
	}
}

async function* lines(body) {
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = '';
	for (;;) {
		const { done, value } = await reader.read();
		if (done) break;
		const parts = (rest + value).split('\n');
		rest = parts.pop();
		yield parts;
	}
	if (rest) yield [rest];
}

/*
 * A list as it streams: {head, rows, tail, cost}. The last line is the verdict; a list without one was cut, and is no
 * answer. onrows is told how many there are so far.
 */
export async function askList(path, { signal, onrows } = {}) {
	const began = performance.now();
	const asked = Date.now();
	const reply = await send(path, 'application/x-ndjson', signal);
	const rows = [];
	let head = null;
	let tail = null;
	try {
		for await (const part of lines(reply.body)) {
			for (const line of part) {
				const record = JSON.parse(line);
				if (record.record) rows.push(record);
				else if (record.begin) head = record;
				else tail = record;
			}
			onrows?.(rows.length);
		}
	} catch (error) {
		if (error.name === 'AbortError') throw error;
	}
	if (!tail) throw new Gone('the answer was cut');
	if (tail.problem) throw new Problem(tail.problem.status, tail.problem);
	return { head, rows, tail, cost: costOf(reply, began, asked) };
}
