// SPDX-License-Identifier: GPL-2.0-or-later
// The page of a running vmad ($VMAD) in Debian's Chromium: each view, by mouse and by keyboard, and what it must never do.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { OTHER, Record, TOKEN, isRoot, launch, requestsOf, startProgram, startVmad, temporary } from './browser.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESKTOP = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 780 };
const MANY = 60000;
const WALKS = /\/pages\?|\/mappings|\/v1\/frames|detail=usage/; // what the page may ask by hand only

const directory = temporary();
const victim = await startProgram('/usr/bin/python3', 'victim.py', directory.path);
const told = JSON.parse(victim.line);
const browser = await launch();
const record = new Record();
let vmad = await startVmad(directory.path);

function expect(value, wanted, what) {
	if (JSON.stringify(value) !== JSON.stringify(wanted))
		throw new Error(`${what}: ${JSON.stringify(value)}, expected ${JSON.stringify(wanted)}`);
}

function truth(value, what) {
	if (!value) throw new Error(what);
}

async function until(what, condition) {
	const end = Date.now() + 15000;
	for (;;) {
		const value = await condition();
		if (value) return value;
		if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

// A tab of its own at a view; run(page) with it, and whatever comes of it, the tab is closed.
async function at(view, run, { size = DESKTOP, scheme = 'light', token = TOKEN, clock = false } = {}) {
	const context = await browser.newContext({
		viewport: size,
		colorScheme: scheme,
		permissions: ['clipboard-read', 'clipboard-write'],
	});
	const page = await context.newPage();
	page.setDefaultTimeout(15000);
	record.watch(page, vmad.origin);
	try {
		if (clock) await page.clock.install();
		await page.goto(`${vmad.origin}/#${token ? `token=${encodeURIComponent(token)}&` : ''}${view}`);
		await run(page);
	} finally {
		await context.close();
	}
}

const space = (more = '') => `/p/${told.pid}${more}`;
const heading = (page) => page.locator('h1').innerText();
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const explained = (page) => page.locator('.explain h2').innerText();
const bare = (address) => address.replace(/^0x/, '');
const later = (address, bytes) => `0x${(BigInt(address) + BigInt(bytes)).toString(16)}`;

async function mapIsThere(page) {
	await page.waitForSelector('.grid [data-index]');
	await until('a drawn map', () => page.evaluate(() => document.querySelector('canvas.map').height > 100));
}

// Where in the canvas the selected address is, by its mark: the row of pixels, from the top.
async function markedRow(page) {
	const mark = (await colour(page, '--mark')).match(/[0-9a-f]{2}/g).map((x) => parseInt(x, 16));
	return page.evaluate(
		([r, g, b]) =>
			new Promise((resolve) =>
				requestAnimationFrame(() =>
					requestAnimationFrame(() => {
						const canvas = document.querySelector('canvas.map');
						const { data } = canvas
							.getContext('2d')
							.getImageData(140, 0, 1, canvas.height);
						for (let y = 0; y < canvas.height; y++)
							if (
								data[4 * y] === r &&
								data[4 * y + 1] === g &&
								data[4 * y + 2] === b
							)
								return resolve(y);
						return resolve(-1);
					}),
				),
			),
		mark,
	);
}

// The colours of one column of the canvas, each once, as "#rrggbb".
function coloursAt(page, x) {
	return page.evaluate((column) => {
		const canvas = document.querySelector('canvas.map');
		const { data } = canvas.getContext('2d').getImageData(column, 0, 1, canvas.height);
		const found = new Set();
		for (let i = 0; i < data.length; i += 4)
			found.add(`#${[...data.slice(i, i + 3)].map((c) => c.toString(16).padStart(2, '0')).join('')}`);
		return [...found];
	}, x);
}

// What a colour of the style comes to, light or dark, as "#rrggbb".
function colour(page, name) {
	return page.evaluate((it) => {
		const probe = document.body.appendChild(document.createElement('i'));
		probe.style.color = `var(${it})`;
		const parts = getComputedStyle(probe).color.match(/\d+/g);
		probe.remove();
		return `#${parts.map((c) => Number(c).toString(16).padStart(2, '0')).join('')}`;
	}, name);
}

async function search(page, text) {
	await page.fill('[data-search]', text);
	await page.press('[data-search]', 'Enter');
}

const tests = [
	[
		'the token leaves the address bar at once, and stays in the tab',
		() =>
			at('/', async (page) => {
				await page.waitForSelector('.grid [data-index]');
				expect(await page.evaluate(() => location.hash), '#/', 'what the address bar holds');
				expect(
					await page.evaluate(() => [
						sessionStorage.length,
						localStorage.getItem('vmad-token'),
					]),
					[1, null],
					'where it is kept',
				);
				await page.reload();
				await page.waitForSelector('.grid [data-index]');
			}),
	],

	[
		'vmactl web prints an address that a browser opens; its token ends with vmad, and the page says what to do',
		async () => {
			const web = () =>
				execFileSync(process.env.VMACTL, ['--socket', vmad.socket, 'web'], {
					encoding: 'utf8',
				}).trim();
			const { port } = vmad;
			await at(
				web().split('#')[1],
				async (page) => {
					await page.waitForSelector('.grid [data-index]');
					expect(
						await page.evaluate(() => location.hash),
						'#/',
						'what the address bar holds',
					);
					await page.getByLabel('live').uncheck();
					await vmad.stop();
					vmad = await startVmad(directory.path, port);
					await page.getByRole('link', { name: 'Doctor' }).click();
					await page.waitForSelector('main .notice.bad');
					truth(
						/vmactl web/.test(await page.locator('main .notice.bad').innerText()),
						'it does not say it',
					);
					await page.goto(web());
					await page.waitForSelector('.grid [data-index]');
				},
				{ token: '' },
			);
		},
	],

	[
		'without a token the page says what is needed',
		() =>
			at(
				'/',
				async (page) => {
					await page.waitForSelector('main .notice.bad');
					truth(
						/a token is required/.test(
							await page.locator('main .notice.bad').innerText(),
						),
						'it does not say it',
					);
				},
				{ token: '' },
			),
	],

	[
		'a token that is not known: the same, and no list',
		() =>
			at(
				'/',
				async (page) => {
					await page.waitForSelector('main .notice.bad');
					truth(
						/not known/.test(await page.locator('main .notice.bad').innerText()),
						'it does not say it',
					);
				},
				{ token: 'wrong' },
			),
	],

	[
		'processes: all are there, by their VMAs; a head sorts them',
		() =>
			at('/', async (page) => {
				await page.waitForSelector('.grid [data-index]');
				const column = (i) =>
					page
						.locator('.grid-sheet .grid-row')
						.evaluateAll(
							(rows, at) => rows.map((row) => row.children[at].textContent),
							i,
						);
				const counts = (await column(3)).map((text) => Number(text.replaceAll(',', '')));
				expect(
					counts,
					[...counts].sort((a, b) => b - a),
					'the VMAs',
				);
				await page.getByRole('button', { name: 'PID' }).click();
				const pids = (await column(0)).map(Number);
				expect(
					pids,
					[...pids].sort((a, b) => b - a),
					'the pids',
				);
				expect(
					await page.locator('[role=columnheader]').first().getAttribute('aria-sort'),
					'descending',
					'aria-sort',
				);
			}),
	],

	[
		'processes by keyboard: / to the search, a filter, arrows and Enter to the map',
		() =>
			at('/', async (page) => {
				await page.waitForSelector('.grid [data-index]');
				await page.keyboard.press('/');
				await page.keyboard.type(`${told.pid}`);
				await until(
					'the filter',
					async () => (await page.locator('.grid-sheet .grid-row').count()) < 5,
				);
				await page.keyboard.press('ArrowDown');
				for (
					let i = 0;
					i < 5 &&
					!(await page.locator('[aria-selected=true]').innerText()).startsWith(
						`${told.pid}`,
					);
					i++
				)
					await page.keyboard.press('ArrowDown');
				await page.keyboard.press('Enter');
				await mapIsThere(page);
				truth(
					(await page.evaluate(() => location.hash)).startsWith(`#/p/${told.pid}.`),
					'the map is that of another process',
				);
			}),
	],

	[
		'a process whose name, and a file whose path, is HTML: they are text',
		() =>
			at('/', async (page) => {
				await page.waitForSelector('.grid [data-index]');
				await page.fill('[data-search]', '<img');
				await until('the process', () =>
					page.getByRole('link', { name: told.name, exact: true }).count(),
				);
				await page.getByRole('link', { name: told.name, exact: true }).first().click();
				await mapIsThere(page);
				truth(
					(await heading(page)).startsWith(told.name.slice(0, 15)),
					`the head is ${await heading(page)}`,
				);
				await search(page, 'onerror');
				truth(
					(await explained(page)).includes('<img src=x onerror=alert(1)>\\u001b[31m'),
					`the panel says ${await explained(page)}`,
				);
				expect(
					await page.evaluate(
						() =>
							document.querySelectorAll('main img, main b img, [onerror]')
								.length,
					),
					0,
					'elements of the name',
				);
			}),
	],

	[
		'the map: as many VMAs as /proc has, in the table as in the picture',
		() =>
			at(space(), async (page) => {
				await mapIsThere(page);
				const maps = readFileSync(`/proc/${told.pid}/maps`, 'utf8').trimEnd().split('\n');
				expect(
					await page.locator('.page.space .grid').getAttribute('aria-rowcount'),
					String(maps.length + 1),
					'rows',
				);
				expect(
					(await page.locator('.grid-sheet .grid-row').first().innerText()).split(
						'\n',
					)[0],
					maps[0].split('-')[0].replace(/^0+/, ''),
					'the first',
				);
				const colours = await coloursAt(page, 300);
				for (const kind of ['private-anon', 'private-file'])
					truth(
						colours.includes(await colour(page, `--kind-${kind}`)),
						`${kind} is not drawn: ${colours}`,
					);
			}),
	],

	[
		'the map: an address is searched, explained, marked, and has a link',
		() =>
			at(space(), async (page) => {
				await mapIsThere(page);
				await search(page, later(told.area, 5 * 4096 + 0x123));
				await until('the answer', async () =>
					/true at one moment/.test(await page.locator('.explain').innerText()),
				);
				truth(
					(await explained(page)).startsWith(bare(later(told.area, 5 * 4096 + 0x123))),
					await explained(page),
				);
				truth(
					(await page.locator('.explain dl').innerText()).includes('private-anon'),
					'the kind',
				);
				truth((await markedRow(page)) >= 0, 'nothing is marked');
				truth(
					(await page.locator('[aria-selected=true]').innerText()).includes('rw-p'),
					'the row of the table',
				);
				const link = await page.evaluate(() => location.hash);
				truth(link.endsWith(`/${later(told.area, 5 * 4096 + 0x123)}`), `the link is ${link}`);
				await page.getByRole('button', { name: 'Copy as vmactl' }).last().click();
				expect(
					await clipboard(page),
					`vmactl show ${told.pid} ${bare(later(told.area, 5 * 4096 + 0x123))}`,
					'copied',
				);
				await at(link.slice(1), async (other) => {
					await other.waitForSelector('.explain h2');
					truth(
						(await explained(other)).startsWith(
							bare(later(told.area, 5 * 4096 + 0x123)),
						),
						'the link leads elsewhere',
					);
				});
			}),
	],

	[
		'the panel: what smaps says, asked once by hand; what the kernel calls needs the module, and says so where it is missing',
		() =>
			at(space(`/${told.area}`), async (page) => {
				const asked = requestsOf(page);
				await page.getByRole('button', { name: 'What smaps says' }).click();
				await until('the flags', async () =>
					/flags\s+rd\s*readable/.test(await page.locator('.explain dl').innerText()),
				);
				truth(
					/shared_dirty 1M/.test(await page.locator('.explain dl').innerText()),
					await page.locator('.explain dl').innerText(),
				);
				expect(asked.filter((path) => WALKS.test(path)).length, 1, 'one walk');
				await page.getByRole('button', { name: 'What the kernel calls' }).click();
				await until('the operations, or what mends it', async () =>
					/ops\s+\S|What mends it/.test(await page.locator('.explain').innerText()),
				);
			}),
	],

	[
		'the map: a place in a file, and what a crash left',
		() =>
			at(space(), async (page) => {
				await mapIsThere(page);
				const code = readFileSync(`/proc/${told.pid}/maps`, 'utf8')
					.split('\n')
					.find((line) => line.includes('r-xp') && line.includes('libc.so.6'));
				const [, start, offset] = /^([0-9a-f]+)-\S+ \S+ ([0-9a-f]+)/.exec(code);
				const into = `libc.so.6+0x${(BigInt(`0x${offset}`) + 0x234n).toString(16)}`;
				await search(page, into);
				await until(
					'the place',
					async () =>
						(await page.locator('.explain h2').count()) &&
						(await explained(page)).startsWith(bare(later(`0x${start}`, 0x234))),
				);
				truth(
					(await explained(page)).includes(
						`libc.so.6 + 0x${(BigInt(`0x${offset}`) + 0x234n).toString(16)}`,
					),
					await explained(page),
				);
				await page.fill(
					'[data-search]',
					`python3[77]: segfault at 8 ip 0000${later(`0x${start}`, 0x999).slice(2)} sp 00007ffc0000beef error 4 in libc.so.6[${start}+155000]`,
				);
				await page
					.getByRole('button', { name: `ip ${bare(later(`0x${start}`, 0x999))}` })
					.click();
				truth(
					(await explained(page)).startsWith(bare(later(`0x${start}`, 0x999))),
					await explained(page),
				);
			}),
	],

	[
		'the map by mouse: hover tells, a click explains, the wheel zooms',
		() =>
			at(space(), async (page) => {
				await mapIsThere(page);
				const canvas = page.locator('canvas.map');
				await canvas.hover({ position: { x: 300, y: 200 } });
				truth(/^[0-9a-f]+/.test(await page.locator('.tip').innerText()), 'the tip');
				const before = await page.locator('.tip').innerText();
				await page.mouse.wheel(0, -1500);
				await canvas.hover({ position: { x: 300, y: 350 } });
				truth((await page.locator('.tip').innerText()) !== before, 'the picture is the same');
				await canvas.click({ position: { x: 300, y: 350 } });
				truth((await explained(page)).length > 4, 'the panel');
				await page.getByRole('button', { name: 'All', exact: true }).click();
			}),
	],

	[
		'the map by keyboard: from VMA to VMA, nearer, and back',
		() =>
			at(space(), async (page) => {
				await mapIsThere(page);
				await page.locator('canvas.map').focus();
				await page.keyboard.press('ArrowRight');
				await page.keyboard.press('ArrowRight');
				const second = readFileSync(`/proc/${told.pid}/maps`, 'utf8')
					.split('\n')[1]
					.split('-')[0]
					.replace(/^0+/, '');
				truth(
					(await explained(page)).startsWith(second),
					`${await explained(page)} is not the second`,
				);
				truth((await page.locator('#live').textContent()).startsWith(second), 'it is not said');
				const wide = await coloursAt(page, 300);
				await page.keyboard.press('Enter');
				await until(
					'the VMA to come near',
					async () => (await coloursAt(page, 300)).length < wide.length,
				);
				await page.keyboard.press('0');
				await until(
					'the whole',
					async () => (await coloursAt(page, 300)).length >= wide.length - 1,
				);
				await page.locator('.grid').focus();
				await page.keyboard.press('End');
				truth(
					(await explained(page)).startsWith('ffffffffff600000') ||
						(await explained(page)).length > 4,
					'the last row',
				);
			}),
	],

	[
		'states of pages: asked by hand only, told in the panel, drawn beside the VMAs',
		() =>
			at(space(), async (page) => {
				const asked = requestsOf(page);
				await mapIsThere(page);
				await search(page, told.area);
				await until('the panel', () => page.locator('.explain h2').count());
				expect(
					asked.filter((path) => WALKS.test(path)),
					[],
					'walks that nobody asked for',
				);
				await page.getByRole('button', { name: 'States of its pages' }).click();
				await page.waitForSelector('.legend .page-swapped');
				expect(asked.filter((path) => WALKS.test(path)).length, 1, 'one walk');
				await page.locator('canvas.map').focus();
				await page.keyboard.press('Enter');
				const lane = await page.evaluate(
					() => document.querySelector('canvas.map').clientWidth - 40,
				);
				const wanted = await colour(page, '--page-shared');
				await until('shared pages in the lane', async () =>
					(await coloursAt(page, lane)).includes(wanted),
				);
				await search(page, later(told.area, 300 * 4096));
				await until('an untouched page', async () =>
					/page\s+none/.test(await page.locator('.explain dl').innerText()),
				);
			}),
	],

	[
		'who maps a page: from the map, every process, with the proof',
		() =>
			at(space(`/${told.area}`), async (page) => {
				await page.getByRole('button', { name: 'Who maps this page' }).click();
				await page.waitForSelector('.picture');
				truth(
					/Mapped 3 times, found 3 in 3 processes: complete/.test(
						await page.locator('.answer').innerText(),
					),
					await page.locator('.answer').innerText(),
				);
				for (const pid of [told.pid, ...told.children])
					expect(
						await page.locator('.chip', { hasText: String(pid) }).count(),
						1,
						`process ${pid}`,
					);
				expect(await page.locator('.wires path').count(), 1, 'one address');
				await page.getByRole('button', { name: 'Copy as vmactl' }).click();
				expect(await clipboard(page), `vmactl rmap ${told.pid} ${bare(told.area)}`, 'copied');
				await page.locator('.chip', { hasText: String(told.children[0]) }).click();
				await mapIsThere(page);
				await until('the child', async () =>
					(await page.evaluate(() => location.hash)).startsWith(
						`#/p/${told.children[0]}.`,
					),
				);
			}),
		'root',
	],

	[
		'who maps a page: a link that is opened does not ask by itself',
		() =>
			at(space(`/${told.area}/mappings`), async (page) => {
				const asked = requestsOf(page);
				await page.getByRole('button', { name: 'Ask' }).waitFor();
				await page.reload();
				await page.getByRole('button', { name: 'Ask' }).waitFor();
				expect(
					asked.filter((path) => path.startsWith('/v1')),
					[],
					'questions',
				);
			}),
	],

	[
		'physical memory: nothing is asked before the button; then a treemap and a table',
		() =>
			at('/frames', async (page) => {
				const asked = requestsOf(page);
				await page.getByRole('button', { name: 'Look at all frames' }).waitFor();
				expect(
					asked.filter((path) => path.startsWith('/v1')),
					[],
					'questions',
				);
				await page.getByRole('button', { name: 'Look at all frames' }).click();
				await page.waitForSelector('.tile', { timeout: 30000 });
				const shares = await page
					.locator('.tile')
					.evaluateAll((tiles) =>
						tiles.map((tile) => [
							tile.getAttribute('aria-label'),
							tile.offsetWidth * tile.offsetHeight,
						]),
					);
				truth(
					shares.some(([label]) => label.startsWith('anonymous')),
					`the tiles are ${shares.map(([label]) => label)}`,
				);
				expect(
					shares.map(([, area]) => area),
					shares.map(([, area]) => area).sort((a, b) => b - a),
					'areas, the largest first',
				);
				truth((await page.locator('tbody tr').count()) > 5, 'the table');
				await page.getByRole('button', { name: 'free' }).click();
				await until(
					'a picture without it',
					async () => (await page.locator('.tile').count()) === shares.length - 1,
				);
			}),
		'root',
	],

	[
		'an error is shown in its own words, with what mends it',
		() =>
			at(
				'/frames',
				async (page) => {
					await page.getByRole('button', { name: 'Look at all frames' }).click();
					await page.waitForSelector('main .notice.bad');
					const text = await page.locator('main .notice.bad').innerText();
					truth(/not allowed/.test(text) && /What mends it: /.test(text), text);
				},
				{ token: OTHER },
			),
		'root',
	],

	[
		'a process that is not there, and an address of the page that means nothing',
		async () => {
			await at('/p/4194303', async (page) => {
				await page.waitForSelector('main .notice.bad');
				truth(
					/no such process/.test(
						await page.locator('main .notice.bad').first().innerText(),
					),
					'it is not said',
				);
			});
			await at('/nonsense', async (page) =>
				truth(/no such view/.test(await page.locator('main').innerText()), 'it is not said'),
			);
			await at(`/p/${told.pid}.1`, async (page) => {
				await page.waitForSelector('main .notice.bad');
				truth(
					/another process/.test(
						await page.locator('main .notice.bad').first().innerText(),
					),
					'a pid that was given to another one',
				);
			});
		},
	],

	[
		'it asks again by itself: cheap things only, and nothing while it is hidden',
		() =>
			at(
				'/',
				async (page) => {
					await page.waitForSelector('.grid [data-index]');
					const asked = requestsOf(page);
					await page.clock.fastForward(8000);
					await until('a second question', () => asked.length >= 1);
					await until('the answer', async () =>
						/asked just now/.test(await page.locator('.fresh').innerText()),
					);
					const hide = (hidden) =>
						page.evaluate((is) => {
							Object.defineProperty(document, 'hidden', {
								configurable: true,
								get: () => is,
							});
							document.dispatchEvent(new Event('visibilitychange'));
						}, hidden);
					await hide(true);
					const before = asked.length;
					await page.clock.fastForward(120000);
					await page.evaluate(
						() =>
							new Promise((resolve) => {
								const channel = new MessageChannel();
								channel.port1.onmessage = resolve;
								channel.port2.postMessage(0);
							}),
					);
					expect(asked.length, before, 'questions while it was hidden');
					await hide(false);
					await page.clock.fastForward(100);
					await until('a question once it is seen again', () => asked.length > before);
					expect(
						asked.filter((path) => !/^\/v1\/processes\?detail=vmas$/.test(path)),
						[],
						'other questions',
					);
				},
				{ clock: true },
			),
	],

	[
		'vmad is gone: what is shown stays; it is back: the page asks again',
		() =>
			at('/', async (page) => {
				await page.waitForSelector('.grid [data-index]');
				const { port } = vmad;
				expect(await vmad.stop(), 0, 'exit status');
				await page.getByLabel('live').uncheck();
				await page.evaluate(() => {
					location.hash = '#/here';
				});
				await page.waitForSelector('#gone:not([hidden])');
				truth(
					/does not answer/.test(await page.locator('#gone').innerText()),
					'it is not said',
				);
				vmad = await startVmad(directory.path, port);
				await page.waitForSelector('#gone', { state: 'hidden' });
				await until('the answer', () => page.locator('tbody tr').count());
			}),
	],

	[
		'light or dark is what the system has, or what a person chose, on the map, too; the choice stays',
		() =>
			at(space(`/${told.area}`), async (page) => {
				const [light, dark] = ['#ffffff', '#12161c'];
				const is = (paper) =>
					until(`paper ${paper}`, async () =>
						(await colour(page, '--paper')) === paper &&
						(await coloursAt(page, 140)).includes(paper),
					);
				await page.waitForSelector('.grid [data-index]');
				await is(light);
				await page.emulateMedia({ colorScheme: 'dark' });
				await is(dark);
				await page.click('#theme');
				await is(light);
				await page.click('#theme');
				await page.emulateMedia({ colorScheme: 'light' });
				await is(dark);
				await page.reload();
				await page.waitForSelector('.grid [data-index]');
				await is(dark);
				await page.click('#theme');
				await is(light);
			}),
	],

	[
		'light and dark, desktop and narrow: nothing is wider than the window, and axe has nothing to say',
		async () => {
			for (const [scheme, size] of [
				['light', DESKTOP],
				['dark', NARROW],
			]) {
				for (const view of [
					'/',
					space(`/${told.area}`),
					'/here',
					...(isRoot ? [space(`/${told.area}/mappings`), '/frames'] : []),
				])
					await at(
						view,
						async (page) => {
							if (/mappings|frames/.test(view))
								await page.locator('button.primary').click();
							await page.waitForSelector('.grid [data-index], tbody tr', {
								timeout: 30000,
							});
							if (view.endsWith(told.area))
								await until('the answer', async () =>
									/true at one moment/.test(
										await page
											.locator('.explain')
											.innerText(),
									),
								);
							expect(
								await page.evaluate(
									() =>
										document.documentElement.scrollWidth >
										innerWidth,
								),
								false,
								`${view}: wider than ${size.width}`,
							);
							await page.evaluate(AXE);
							const found = await page.evaluate(() =>
								axe.run(
									{
										exclude: [
											'tbody tr:nth-child(n+5)',
											'.tile-part',
											'.address-card:nth-child(n+5)',
											'.grid-sheet .grid-row:nth-child(n+5)',
										],
									},
									{ resultTypes: ['violations'] },
								),
							);
							expect(
								found.violations.map((one) => [
									one.id,
									one.nodes[0].html.slice(0, 120),
									one.nodes[0].any[0]?.message,
								]),
								[],
								`${view} ${scheme}`,
							);
						},
						{ scheme, size },
					);
			}
		},
	],

	[
		'60,000 VMAs: the list, the map and the table',
		async () => {
			const many = await startProgram(process.env.WORKLOAD, 'anon', String(MANY), directory.path);
			try {
				await at(`/p/${many.pid}`, async (page) => {
					await page.waitForSelector('.grid [data-index]', { timeout: 60000 });
					expect(
						await page.locator('.page.space .grid').getAttribute('aria-rowcount'),
						String(MANY + 1),
						'rows',
					);
					truth(
						(await page.locator('.grid-sheet .grid-row').count()) < 120,
						'rows that are elements',
					);
					const times = await page.evaluate(
						() =>
							new Promise((resolve) => {
								const canvas = document.querySelector('canvas.map');
								const found = [];
								let last = performance.now();
								const step = (i) => {
									const now = performance.now();
									found.push(now - last);
									last = now;
									if (i === 90) return resolve(found.slice(1));
									canvas.dispatchEvent(
										new WheelEvent('wheel', {
											deltaY: i < 45 ? -60 : 60,
											offsetY: 300,
											cancelable: true,
										}),
									);
									return requestAnimationFrame(() => step(i + 1));
								};
								requestAnimationFrame(() => step(0));
							}),
					);
					times.sort((a, b) => a - b);
					const at = (part) => times[Math.floor((times.length - 1) * part)].toFixed(1);
					console.log(
						`# frames while the map of ${MANY} VMAs is zoomed: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, worst ${at(1)} ms`,
					);
					await page.locator('.grid').focus();
					await page.keyboard.press('End');
					expect(
						await page
							.locator('[aria-selected=true]')
							.getAttribute('aria-rowindex'),
						String(MANY + 1),
						'the last row',
					);
					await page.fill('[data-search]', 'r--p');
					await until(
						'the filter',
						async () =>
							Number(
								await page
									.locator('.page.space .grid')
									.getAttribute('aria-rowcount'),
							) < MANY,
					);
				});
			} finally {
				await many.stop();
			}
		},
	],

	[
		'addresses as people and crashes write them',
		() =>
			at('/here', async (page) => {
				const read = (name, text) =>
					page.evaluate(
						async ([which, it]) => {
							const found = (await import('/web/address.js'))[which](it);
							return JSON.parse(
								JSON.stringify(found, (_, value) =>
									typeof value === 'bigint'
										? `0x${value.toString(16)}`
										: value,
								),
							);
						},
						[name, text],
					);
				for (const text of [
					'7f10a2c4d123',
					'0x7f10a2c4d123',
					' 0X7F10A2C4D123 ',
					'00007f10a2c4d123',
					'00007f10`a2c4d123',
				])
					expect(await read('parseAddress', text), '0x7f10a2c4d123', text);
				for (const text of ['libc', '', '0x', '10000000000000000', '12 34'])
					expect(await read('parseAddress', text), null, text);
				expect(
					await read('parseFileOffset', 'libc.so.6 + 0x4d123'),
					{ file: 'libc.so.6', offset: '0x4d123' },
					'a place in a file',
				);
				const addresses = async (text) =>
					(await read('parseCrash', text)).map(
						(one) => one.address ?? `${one.file}+${one.offset}`,
					);
				expect(
					await addresses(
						'nginx[4242]: segfault at 10 ip 00007f10a2c4d123 sp 00007ffe1c2a0010 error 4 in libc.so.6[4d123,7f10a2c28000+195000]',
					),
					['libc.so.6+0x4d123', '0x7f10a2c4d123', '0x7ffe1c2a0010'],
					'dmesg',
				);
				expect(
					await addresses(
						'#0  0x00007f10a2c4d123 in __GI_raise (sig=6) from /lib/libc.so.6\n#1  0x000055d0c0a1f3b0 in main ()',
					),
					['0x7f10a2c4d123', '0x55d0c0a1f3b0'],
					'gdb',
				);
				expect(
					await addresses('/usr/sbin/nginx(+0x2a41c) [0x55d0c0a4941c]'),
					['/usr/sbin/nginx+0x2a41c', '0x55d0c0a4941c'],
					'backtrace(3)',
				);
			}),
	],

	[
		'where VMAs lie in the picture, on each scale: in order, gaps compressed, and back to the same page',
		() =>
			at('/here', async (page) => {
				const wrong = await page.evaluate(async () => {
					const { Layout } = await import('/web/layout.js');
					const vmas = [];
					for (let i = 0, at = 16; i < 400; i++) {
						const pages = 1 + ((i * 7919) % 5000) * (i % 7 ? 1 : 100000);
						vmas.push({ lo: at, hi: at + pages });
						at += pages + (i % 3 ? 0 : 1 + ((i * 104729) % 1e9));
					}
					const found = [];
					for (const scale of ['size', 'log', 'equal']) {
						const layout = new Layout(vmas, scale);
						const gaps =
							layout.total -
							vmas.reduce(
								(sum, _, i) => sum + layout.to[i] - layout.at[i],
								0,
							);
						if (scale === 'size' && gaps > layout.total / 10)
							found.push(`gaps take ${gaps} of ${layout.total}`);
						if (
							scale === 'size' &&
							vmas.some(
								(vma, i) =>
									Math.abs(
										layout.to[i] -
											layout.at[i] -
											(vma.hi - vma.lo),
									) > 1e-3,
							)
						)
							found.push('not to scale');
						for (let i = 0; i < vmas.length; i++)
							for (const page of [
								vmas[i].lo,
								Math.floor((vmas[i].lo + vmas[i].hi) / 2),
								vmas[i].hi - 1,
							]) {
								const unit =
									layout.unitOf(page) +
									(layout.to[i] - layout.at[i]) /
										(vmas[i].hi - vmas[i].lo) /
										2;
								const back = layout.pageAt(unit);
								if (back.index !== i || back.page !== page)
									found.push(
										`${scale}: page ${page} of ${i} comes back as ${back.page} of ${back.index}`,
									);
							}
					}
					return found.slice(0, 5);
				});
				expect(wrong, [], 'what is wrong');
			}),
	],

	[
		'tiles of a treemap: in proportion, inside, and none over another',
		() =>
			at('/here', async (page) => {
				const wrong = await page.evaluate(async () => {
					const { squarify } = await import('/web/treemap.js');
					const items = [600, 300, 60, 30, 5, 4, 1, 0].map((area) => ({ area }));
					const box = { x: 10, y: 20, width: 500, height: 200 };
					const tiles = squarify(items, box);
					const found = [];
					if (tiles.length !== 7) found.push(`${tiles.length} tiles`);
					for (const [i, a] of tiles.entries()) {
						if (Math.abs(a.width * a.height - a.item.area * 100) > 1)
							found.push(`area ${a.width * a.height} of ${a.item.area}`);
						if (
							a.x < 9.99 ||
							a.y < 19.99 ||
							a.x + a.width > 510.01 ||
							a.y + a.height > 220.01
						)
							found.push('outside');
						for (const b of tiles.slice(i + 1))
							if (
								Math.min(a.x + a.width, b.x + b.width) -
									Math.max(a.x, b.x) >
									0.01 &&
								Math.min(a.y + a.height, b.y + b.height) -
									Math.max(a.y, b.y) >
									0.01
							)
								found.push('one over another');
					}
					return found;
				});
				expect(wrong, [], 'what is wrong');
			}),
	],

	[
		'nothing went wrong on any page: no exception, no word in the console, no breach of the policy, no other host',
		() => {
			truth(record.requests.length > 50, `${record.requests.length} requests`);
			expect(record.wrong, [], 'what went wrong');
		},
	],

	[
		'no question holds the token in its address',
		() =>
			expect(
				record.requests.filter((url) => url.includes('token')),
				[],
				'addresses',
			),
	],
];

const only = process.argv[2];
const chosen = tests.filter(([name]) => !only || name.includes(only));
let failed = 0;
console.log(`1..${chosen.length}`);
for (const [index, [name, run, needs]] of chosen.entries()) {
	if (needs === 'root' && !isRoot) {
		console.log(`ok ${index + 1} - ${name} # SKIP only root is answered`);
		continue;
	}
	const began = Date.now();
	try {
		await run();
		console.log(`ok ${index + 1} - ${name}\n# ${Date.now() - began} ms`);
	} catch (error) {
		failed += 1;
		console.log(`not ok ${index + 1} - ${name}\n# ${String(error.stack).replaceAll('\n', '\n# ')}`);
	}
}
await browser.close();
await victim.stop();
await vmad.stop();
directory.remove();
process.exit(failed ? 1 : 0);
