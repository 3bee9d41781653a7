// SPDX-License-Identifier: GPL-2.0-or-later
// What the tests of the page stand on: a vmad with a token, Chromium, and a record of all that the page should not do.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

export const TOKEN = 'a-token/of+this=test';
export const OTHER = 'a token of nobody';
export const isRoot = process.getuid() === 0;

function tokenLine(token, words) {
	return `sha256:${createHash('sha256').update(token).digest('hex')} ${words}\n`;
}

export function temporary() {
	const path = mkdtempSync(join(tmpdir(), 'vmad-web-'));
	return { path, remove: () => rmSync(path, { recursive: true }) };
}

// A vmad on loopback; port 0: any that is free. With a Unix socket too, so that two can be told apart by nobody else's.
export async function startVmad(directory, port = 0) {
	const own = `uid=${process.getuid()} gid=${process.getgid()}${isRoot ? ' root=yes' : ''}`;
	const tokens = join(directory, 'tokens');
	writeFileSync(tokens, tokenLine(TOKEN, own) + tokenLine(OTHER, 'uid=65534 gid=65534'));
	const socket = join(directory, 'vmad.sock');
	const child = spawn(
		process.env.VMAD,
		['--listen', `tcp:127.0.0.1:${port}`, '--listen', `unix:${socket}`, '--token-file', tokens],
		{
			stdio: ['ignore', 'ignore', 'pipe'],
		},
	);
	const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
	const said = [];
	await new Promise((resolve, reject) => {
		createInterface({ input: child.stderr }).on('line', (line) => {
			said.push(line);
			if (line === 'vmad: ready') resolve();
		});
		ended.then((code) => reject(new Error(`vmad ended with ${code}: ${said.join('\n')}`)));
	});
	const [, bound] = /tcp:127\.0\.0\.1:(\d+)/.exec(said.join('\n'));
	return {
		socket,
		said,
		port: Number(bound),
		origin: `http://127.0.0.1:${bound}`,
		async stop() {
			child.kill('SIGTERM');
			return ended;
		},
	};
}

// A program that says one line when it is ready, and ends with its input.
export async function startProgram(command, ...rest) {
	const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
	const ended = new Promise((resolve) => child.on('exit', resolve));
	const line = await new Promise((resolve, reject) => {
		createInterface({ input: child.stdout }).once('line', resolve);
		ended.then((code) => reject(new Error(`${command} ended with ${code}`)));
	});
	return {
		pid: child.pid,
		line,
		async stop() {
			child.stdin.end();
			await ended;
		},
	};
}

// What no page may do, on any of the pages that were opened.
export class Record {
	constructor() {
		this.wrong = [];
		this.requests = [];
	}

	watch(page, origin) {
		page.on('console', (message) => this.onConsole(message));
		page.on('pageerror', (error) => this.wrong.push(`exception: ${error.stack}`));
		page.on('request', (request) => {
			this.requests.push(request.url().replace(origin, ''));
			if (!request.url().startsWith(`${origin}/`)) this.wrong.push(`a request to ${request.url()}`);
		});
		page.on('dialog', (dialog) => {
			this.wrong.push(`a dialog: ${dialog.message()}`);
			dialog.dismiss();
		});
	}

	// Chromium itself tells of a reply that is an error, of a vmad that is gone, and of how these tests read the canvas.
	onConsole(message) {
		if (
			/^Failed to load resource: (net::ERR_CONNECTION|the server responded with a status of [45])|^Canvas2D: Multiple readback/.test(
				message.text(),
			)
		)
			return;
		if (message.type() === 'error' || message.type() === 'warning')
			this.wrong.push(`console: ${message.text()}`);
	}
}

// Requests of one page from now on.
export function requestsOf(page) {
	const paths = [];
	page.on('request', (request) => paths.push(new URL(request.url()).pathname + new URL(request.url()).search));
	return paths;
}

export function launch() {
	return chromium.launch({
		executablePath: '/usr/bin/chromium',
		chromiumSandbox: !isRoot,
		args: [
			'--disable-gpu',
			'--disable-dev-shm-usage',
			'--disable-background-networking',
			'--no-proxy-server',
		],
	});
}
