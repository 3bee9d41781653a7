// SPDX-License-Identifier: GPL-2.0-or-later
// The OpenAPI document of a running vmad ($VMAD, the one with a stand-in for the helper module): Redocly finds nothing to say, and each
// path's real replies fit their schemas.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import Ajv2020 from 'ajv/dist/2020.js';

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';
const self = process.pid;

// What to ask of each path of the document. A path without a row here is a failure. ADDRESS and FRAME: of a page of this program.
const QUESTIONS = {
	'/v1': ['/v1'],
	'/v1/openapi.json': ['/v1/openapi.json'],
	'/v1/health': ['/v1/health'],
	'/v1/tokens': ['/v1/tokens'],
	'/metrics': ['/metrics'],
	'/v1/capabilities': ['/v1/capabilities'],
	'/v1/processes': ['/v1/processes', '/v1/processes?detail=vmas', '/v1/processes?comm=node*&limit=1', '/v1/processes?limit=1',
		'/v1/processes?detail=vmas&uid=0', '/v1/processes?detail=usage&deadline_ms=30000', '/v1/processes?detail=usage&limit=2', '/v1/processes?unit=no-such-unit'],
	'/v1/processes/{pid}': [`/v1/processes/${self}`, `/v1/processes/${self}?detail=usage`, '/v1/processes/2',
		'/v1/processes/2?detail=usage', `/v1/processes/${self}?detail=usage&max_age_ms=1000`],
	'/v1/processes/{pid}/vmas': [`/v1/processes/${self}/vmas`, `/v1/processes/${self}/vmas?detail=usage`,
		`/v1/processes/${self}/vmas?detail=maps`, `/v1/processes/${self}/vmas?detail=usage&deadline_ms=30000&limit=3`,
		`/v1/processes/${self}/vmas?limit=2`, `/v1/processes/${self}/vmas?kind=heap,stack`, '/v1/processes/2/vmas',
		...(process.getuid() === 0 ? [`/v1/processes/${self}/vmas?detail=kernel`] : [])],
	'/v1/processes/{pid}/vmas/{addr}': [`/v1/processes/${self}/vmas/0x1000`, `/v1/processes/${self}/vmas/ADDRESS`,
		`/v1/processes/${self}/vmas/0xffffffffff600000`, `/v1/processes/${self}/vmas/0xffffffffffffffff`, '/v1/processes/2/vmas/0'],
	'/v1/processes/{pid}/vmas/{addr}/ops': [`/v1/processes/${self}/vmas/ADDRESS/ops`],
	'/v1/processes/{pid}/pages': [`/v1/processes/${self}/pages`, `/v1/processes/${self}/pages?detail=flags&limit=100`,
		`/v1/processes/${self}/pages?detail=frames&limit=100`, '/v1/processes/2/pages'],
	'/v1/processes/{pid}/pages/summary': [`/v1/processes/${self}/pages/summary`, `/v1/processes/${self}/pages/summary?detail=flags`,
		'/v1/processes/2/pages/summary'],
	'/v1/processes/{pid}/pages/{addr}': [`/v1/processes/${self}/pages/ADDRESS`, `/v1/processes/${self}/pages/0x1000`,
		`/v1/processes/${self}/pages/0xffffffffff600000`, `/v1/processes/${self}/pages/0xffffffffffffffff`, '/v1/processes/2/pages/0'],
	'/v1/processes/{pid}/pages/{addr}/mappings': [`/v1/processes/${self}/pages/ADDRESS/mappings`],
	'/v1/frames': ['/v1/frames', '/v1/frames?by=flags', '/v1/frames?by=node', '/v1/frames?by=cgroup'],
	'/v1/frames/{pfn}': ['/v1/frames/FRAME'],
	'/v1/frames/{pfn}/mappings': ['/v1/frames/FRAME/mappings'],
	'/v1/files/mappings': ['/v1/files/mappings?path=/etc/passwd', `/v1/files/mappings?path=${process.execPath}`,
		`/v1/files/mappings?path=${process.execPath}&offset=5&length=4K&limit=1`, '/v1/files/mappings?device=fe:00&inode=1'],
	'/v1/files/pages': [`/v1/files/pages?path=${process.execPath}`, `/v1/files/pages?path=${process.execPath}&offset=4096&length=1`],
	'/v1/processes/{pid}/gaps': [`/v1/processes/${self}/gaps`, `/v1/processes/${self}/gaps?length=1G&align=2M&limit=2`,
		`/v1/processes/${self}/gaps?length=1000T`],
	'/v1/processes/{pid}/sharing': [`/v1/processes/${self}/sharing?deadline_ms=60000`, '/v1/processes/2/sharing'],
	'/v1/vmas': ['/v1/vmas?limit=50', '/v1/vmas?deleted=true', '/v1/vmas'],
};
// What vmad answers to root alone.
const ROOT_ONLY = ['/v1/processes/{pid}/sharing', '/v1/processes/{pid}/vmas/{addr}/ops', '/v1/frames', '/v1/frames/{pfn}', '/v1/processes/{pid}/pages/{addr}/mappings', '/v1/frames/{pfn}/mappings'];
const PROBLEMS = [
	['/v1/nothing', 404], ['/v1/processes/4194304', 404], ['/v1/processes/abc', 400], ['/v1/processes?what=1', 400],
	[`/v1/processes/${self}?start_time_ticks=1`, 409], [`/v1/processes/${self}/vmas/0xg`, 400], ['/v1/vmas?cursor=x', 400],
	['/v1/processes?limit=0', 400], [`/v1/${'x'.repeat(9000)}`, 414],
];
const LIST = 'application/x-ndjson';

// What the stand-in for the module answers (tests/lib/standin.h): this program's VMAs, all with the operations of one file system.
function standIn(path) {
	const table = 'table ext4_file_vm_ops ext4 open=- fault=filemap_fault access=?';
	const names = 'ext4_file_vm_ops ext4_file_operations ext4_da_aops 0x7';
	const vmas = readFileSync('/proc/self/maps', 'latin1').split('\n').filter((line) => line && !line.startsWith('ffff'))
		.map((line) => line.match(/^([0-9a-f]+)-([0-9a-f]+)/))
		.map(([, start, end]) => `vma ${self} 0x${start} 0x${end} 0x75 3 ${names}`);
	const text = Buffer.alloc(1 << 20);
	text.write(['info 1 0x7f', table, ...vmas, ''].join('\n'));
	writeFileSync(path, text);
}

async function start() {
	const directory = mkdtempSync(join(tmpdir(), 'vmad-openapi-'));
	const socket = join(directory, 'vmad.sock');
	const answers = join(directory, 'standin');
	standIn(answers);
	const env = { ...process.env, VMAD_STANDIN: answers };
	const vmad = spawn(process.env.VMAD, ['--listen', `unix:${socket}`], { stdio: ['ignore', 'ignore', 'pipe'], env });
	const ended = new Promise((resolve) => vmad.on('exit', (code) => resolve(code)));
	const lines = createInterface({ input: vmad.stderr });
	await new Promise((resolve, reject) => {
		lines.on('line', (line) => line === 'vmad: ready' && resolve());
		ended.then((code) => reject(new Error(`vmad ended with ${code}`)));
	});
	const stop = async () => {
		vmad.kill('SIGTERM');
		const code = await ended;
		rmSync(directory, { recursive: true });
		return code;
	};
	return { socket, stop };
}

function get(socketPath, path, headers = {}, method = 'GET') {
	return new Promise((resolve, reject) => {
		http.request({ socketPath, path, method, headers: { Host: 'localhost', ...headers } }, (reply) => {
			const parts = [];
			reply.on('data', (part) => parts.push(part));
			reply.on('error', reject);
			reply.on('end', () => resolve({
				status: reply.statusCode,
				type: (reply.headers['content-type'] ?? '').split(';')[0],
				body: Buffer.concat(parts).toString(),
			}));
		}).on('error', reject).end();
	});
}

function expect(found, expected, what) {
	if (found !== expected)
		throw new Error(`${what}: found ${found}, expected ${expected}`);
}

// "/paths/~1v1/get/...", as JSON pointers are written.
const pointer = (...steps) => steps.map((step) => '/' + String(step).replaceAll('~', '~0').replaceAll('/', '~1')).join('');

// The document as it binds vmad, and not those who read it: no object has a member that its schema does not name.
function strict(schema) {
	if (Array.isArray(schema))
		return schema.map(strict);
	if (schema === null || typeof schema !== 'object')
		return schema;
	const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
	if (copy.type === 'object' && Object.keys(copy.properties ?? {}).length > 0)
		copy.unevaluatedProperties = false;
	return copy;
}

// A validator of one reply of one path.
function validator(ajv, path, status, type, method = 'get') {
	const schema = pointer('paths', path, method, 'responses', status, 'content', type, 'schema');
	return ajv.compile({ $ref: `openapi.json#${encodeURI(schema)}` });
}

function fits(validate, reply, path) {
	if (!validate(JSON.parse(reply.body)))
		throw new Error(`${path}: ${JSON.stringify(validate.errors.slice(0, 5), null, 1)}`);
}

async function lint(text) {
	// It is served by the host that it describes; and its components stay for those who read it, where replies are put together of them.
	const rules = { 'no-server-example.com': 'off', 'no-unused-components': 'off', 'operation-4xx-response': 'error' };
	const config = await createConfig({ extends: ['recommended'], rules });
	const found = await lintFromString({ source: text, config });
	if (found.length > 0)
		throw new Error(found.map((one) => `${one.ruleId}: ${one.message} ${one.location[0]?.pointer}`).join('\n'));
}

// Redocly is really looking: a document that breaks its rules does not pass.
async function lintCanFail(text) {
	const broken = JSON.parse(text);
	delete broken.paths['/v1/processes/{pid}'].get.parameters;
	await lint(JSON.stringify(broken)).then(
		() => { throw new Error('a path without its parameter was accepted'); },
		(error) => { if (!error.message.includes('path-parameters-defined')) throw error; });
}

// The schemas really bind: a member that is missing, of a wrong type or unknown does not pass.
function schemaCanFail(ajv) {
	const validate = validator(ajv, '/v1/health', 200, JSON_TYPE);
	expect(validate({ status: 'ok' }), true, 'a good reply');
	for (const bad of [{}, { status: 1 }, { status: 'ok', extra: 1 }])
		expect(validate(bad), false, JSON.stringify(bad));
}

// In rows and in records within records too.
async function innerSchemasCanFail(ajv, socket) {
	const list = JSON.parse((await get(socket, '/v1/processes?limit=1')).body);
	const one = JSON.parse((await get(socket, await filledIn(socket, `/v1/processes/${self}/vmas/ADDRESS`))).body);
	list.processes[0].extra = 1;
	one.vma.extra = 1;
	expect(validator(ajv, '/v1/processes', 200, JSON_TYPE)(list), false, 'a row with a member more');
	expect(validator(ajv, '/v1/processes/{pid}/vmas/{addr}', 200, JSON_TYPE)(one), false, 'a VMA with a member more');
}

// A list in lines is the list in one document: the first line has its head, the last one its tail.
function joined(text, name) {
	const [{ begin, ...head }, ...rest] = text.trimEnd().split('\n').map((line) => JSON.parse(line));
	const { end, ...tail } = rest.pop();
	expect(begin && end, true, 'begin and end');
	return { ...head, [name]: rest.map(({ record, ...row }) => row), ...tail };
}

// A question with this program's own address and frame in it.
async function filledIn(socket, question) {
	if (!/ADDRESS|FRAME/.test(question))
		return question;
	const reply = await get(socket, `/v1/processes/${self}/vmas?limit=1`);
	const address = JSON.parse(reply.body).vmas[0].start;
	if (!question.includes('FRAME'))
		return question.replace('ADDRESS', address);
	const page = await get(socket, `/v1/processes/${self}/pages/${address}/mappings`);
	return question.replace('FRAME', JSON.parse(page.body).page.pfn);
}

async function cases(socket) {
	const text = (await get(socket, '/v1/openapi.json')).body;
	const document = JSON.parse(text);
	const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
	ajv.addSchema({ ...strict(document), $id: 'openapi.json' });
	const list = [
		['the document is OpenAPI 3.1', () => expect(document.openapi.slice(0, 4), '3.1.', 'openapi')],
		['Redocly has nothing to say', () => lint(text)],
		['Redocly would say it', () => lintCanFail(text)],
		['the schemas refuse what is wrong', () => schemaCanFail(ajv)],
		['the schemas of rows and records do too', () => innerSchemasCanFail(ajv, socket)],
	];
	for (const path of Object.keys(document.paths)) {
		const [method] = Object.keys(document.paths[path]);
		const { content } = document.paths[path][method].responses[200];
		if (ROOT_ONLY.includes(path) && process.getuid() !== 0) {
			list.push([`${path} # SKIP only root is answered`, () => {}]);
			continue;
		}
		for (const question of QUESTIONS[path] ?? [`/no-question-for${path}`]) {
			list.push([`${question} fits its schema`, async () => {
				const asked = await filledIn(socket, question);
				const reply = await get(socket, asked, {}, method.toUpperCase());
				expect(reply.status, 200, `status of ${asked}`);
				if (content[reply.type]?.schema.type === 'string')
					return;
				fits(validator(ajv, path, 200, JSON_TYPE, method), reply, asked);
			}]);
			if (!content[LIST])
				continue;
			list.push([`${question} in lines fits its schema`, async () => {
				const reply = await get(socket, await filledIn(socket, question), { Accept: LIST });
				const { properties } = content[JSON_TYPE].schema;
				const name = Object.keys(properties).find((key) => properties[key].items?.properties);
				expect(`${reply.status} ${reply.type}`, `200 ${LIST}`, 'status and type');
				fits(validator(ajv, path, 200, JSON_TYPE), { body: JSON.stringify(joined(reply.body, name)) }, question);
			}]);
		}
	}
	for (const [path, status] of PROBLEMS) {
		list.push([`${path} is a ${status} that fits the schema of problems`, async () => {
			const reply = await get(socket, path);
			expect(`${reply.status} ${reply.type}`, `${status} ${PROBLEM_TYPE}`, 'status and type');
			fits(ajv.compile({ $ref: 'openapi.json#/components/schemas/problem' }), reply, path);
		}]);
	}
	return list;
}

const { socket, stop } = await start();
const list = await cases(socket);
let failed = 0;
list.push(['vmad ends with 0', async () => expect(await stop(), 0, 'exit status')]);
console.log(`1..${list.length}`);
for (const [index, [name, run]] of list.entries()) {
	try {
		await run();
		console.log(`ok ${index + 1} - ${name}`);
	} catch (error) {
		failed += 1;
		console.log(`not ok ${index + 1} - ${name}\n# ${error.message.replaceAll('\n', '\n# ')}`);
	}
}
process.exit(failed ? 1 : 0);
