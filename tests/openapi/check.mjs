// SPDX-License-Identifier: GPL-2.0-or-later
// The OpenAPI document of a running vmad ($VMAD): Redocly finds nothing to say, and each path's real replies fit their schemas.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import Ajv2020 from 'ajv/dist/2020.js';

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';
const self = process.pid;

// What to ask of each path of the document. A path without a row here is a failure.
const QUESTIONS = {
	'/v1': ['/v1'],
	'/v1/openapi.json': ['/v1/openapi.json'],
	'/v1/health': ['/v1/health'],
	'/v1/capabilities': ['/v1/capabilities'],
	'/v1/processes': ['/v1/processes', '/v1/processes?detail=vmas', '/v1/processes?comm=node*&limit=1'],
	'/v1/processes/{pid}': [`/v1/processes/${self}`, `/v1/processes/${self}?detail=usage`],
	'/v1/processes/{pid}/vmas': [`/v1/processes/${self}/vmas`, `/v1/processes/${self}/vmas?detail=usage`,
		`/v1/processes/${self}/vmas?limit=2`, `/v1/processes/${self}/vmas?kind=heap,stack`],
	'/v1/processes/{pid}/vmas/{addr}': [`/v1/processes/${self}/vmas/0x1000`, null],
	'/v1/vmas': ['/v1/vmas?limit=50', '/v1/vmas?deleted=true'],
};
// What vmad serves as it is: OpenAPI itself says what it may hold.
const OPEN = new Set(['/v1/openapi.json']);
const PROBLEMS = [
	['/v1/nothing', 404], ['/v1/processes/4194304', 404], ['/v1/processes/abc', 400], ['/v1/processes?what=1', 400],
];

async function start() {
	const directory = mkdtempSync(join(tmpdir(), 'vmad-openapi-'));
	const socket = join(directory, 'vmad.sock');
	const vmad = spawn(process.env.VMAD, ['--listen', `unix:${socket}`], { stdio: ['ignore', 'ignore', 'pipe'] });
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

function get(socketPath, path, headers = {}) {
	return new Promise((resolve, reject) => {
		http.get({ socketPath, path, headers: { Host: 'localhost', ...headers } }, (reply) => {
			const parts = [];
			reply.on('data', (part) => parts.push(part));
			reply.on('error', reject);
			reply.on('end', () => resolve({
				status: reply.statusCode,
				type: (reply.headers['content-type'] ?? '').split(';')[0],
				body: Buffer.concat(parts).toString(),
			}));
		}).on('error', reject);
	});
}

function expect(found, expected, what) {
	if (found !== expected)
		throw new Error(`${what}: found ${found}, expected ${expected}`);
}

// "/paths/~1v1/get/...", as JSON pointers are written.
const pointer = (...steps) => steps.map((step) => '/' + String(step).replaceAll('~', '~0').replaceAll('/', '~1')).join('');

// A validator of one reply of one path, which also refuses members that the document does not know.
function validator(ajv, path, status, type) {
	const schema = pointer('paths', path, 'get', 'responses', status, 'content', type, 'schema');
	return ajv.compile({ $ref: `openapi.json#${encodeURI(schema)}`, unevaluatedProperties: OPEN.has(path) });
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

async function anAddress(socket) {
	const reply = await get(socket, `/v1/processes/${self}/vmas?limit=1`);
	return `/v1/processes/${self}/vmas/${JSON.parse(reply.body).vmas[0].start}`;
}

async function cases(socket) {
	const text = (await get(socket, '/v1/openapi.json')).body;
	const document = JSON.parse(text);
	const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
	ajv.addSchema({ ...document, $id: 'openapi.json' });
	const list = [
		['the document is OpenAPI 3.1', () => expect(document.openapi.slice(0, 4), '3.1.', 'openapi')],
		['Redocly has nothing to say', () => lint(text)],
		['Redocly would say it', () => lintCanFail(text)],
		['the schemas refuse what is wrong', () => schemaCanFail(ajv)],
	];
	for (const path of Object.keys(document.paths)) {
		for (const question of QUESTIONS[path] ?? [`/no-question-for${path}`]) {
			list.push([`${question ?? path} fits its schema`, async () => {
				const asked = question ?? await anAddress(socket);
				const reply = await get(socket, asked);
				expect(reply.status, 200, `status of ${asked}`);
				fits(validator(ajv, path, 200, JSON_TYPE), reply, asked);
			}]);
		}
	}
	for (const [path, status] of PROBLEMS) {
		list.push([`${path} is a ${status} that fits the schema of problems`, async () => {
			const reply = await get(socket, path);
			expect(`${reply.status} ${reply.type}`, `${status} ${PROBLEM_TYPE}`, 'status and type');
			fits(ajv.compile({ $ref: 'openapi.json#/components/schemas/problem', unevaluatedProperties: false }), reply, path);
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
