// Every `curl` of the documents does what it says: the `sh` blocks that have one are run in a shell,
// those of a file one after the other, against the real binary (PATTER_BIN) with its demo model. The
// server stands at $PATTER, and where a block says localhost:8000; its admin port where one says 9464. A `json` block that comes next shows
// what comes back: it has at least these fields, of these kinds.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startPatter } from '../web/test/support/patter.mjs';
import { Client } from './client.mjs';
import { freePort } from './ports.mjs';

const ROOT = join(import.meta.dirname, '..');
const PAGES = ['README.md', ...(await readdir(join(ROOT, 'docs'))).map((name) => `docs/${name}`)];

/** Whatever is refused fails the block, and nothing waits for ever. */
const PREAMBLE = `set -euo pipefail
curl() { command curl --fail-with-body --silent --show-error --max-time 30 "$@"; }
`;

/** A server with an admin port. */
async function start() {
  const admin = await freePort();
  const server = await startPatter({ PATTER_LLM__PROVIDER: 'demo', PATTER_ADMIN__PORT: String(admin) });
  return { ...server, admin };
}

/** The examples of a page: each a script, the line it stands in, and what it says comes back. */
function examplesOf(page) {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```\n(?:\s*^```json\n(.*?)^```$)?/gms)];
  return blocks
    .filter(([, script]) => /\bcurl\b/.test(script))
    .map(({ 1: script, 2: json, index }) => ({ script, json, line: page.slice(0, index).split('\n').length }));
}

/** Runs the scripts in one shell, so that a later one can use what an earlier one has set. */
async function run(scripts, server) {
  const directory = await mkdtemp(join(tmpdir(), 'patter-examples-'));
  const output = (index) => join(directory, `${index}.out`);
  const host = new URL(server.url).host;
  const steps = scripts.map((script, index) => {
    const text = script.replaceAll('localhost:8000', host).replaceAll(':9464', `:${server.admin}`);
    return `echo ${index} > started\n{\n${text}\n} > ${index}.out 2> ${index}.err\n`;
  });
  await writeFile(join(directory, 'script'), PREAMBLE + steps.join(''));
  const options = { cwd: directory, env: { PATH: process.env.PATH, PATTER: server.url }, timeout: 120_000 };
  try {
    await promisify(execFile)('bash', ['script'], options).catch(async () => {
      const index = Number(await readFile(join(directory, 'started'), 'utf8'));
      const said = await Promise.all(['out', 'err'].map((end) => readFile(join(directory, `${index}.${end}`), 'utf8')));
      assert.fail(`this failed:\n${scripts[index]}\nIt said:\n${said.join('\n')}`);
    });
    return await Promise.all(scripts.map((_, index) => readFile(output(index), 'utf8')));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const kindOf = (value) => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);

/** Where an answer has not what was shown: fields that are missing or of another kind. */
function differences(shown, answer, path = '') {
  const kinds = [kindOf(shown), kindOf(answer)];
  if (kinds.includes('null')) return [];
  if (kinds[0] !== kinds[1]) return [`${path || 'the answer'} is a ${kinds[1]} and not a ${kinds[0]}`];
  if (kinds[0] === 'list') {
    return shown.length > 0 ? (answer.length > 0 ? differences(shown[0], answer[0], `${path}[0]`) : [`${path} is empty`]) : [];
  }
  if (kinds[0] !== 'object') return [];
  return Object.entries(shown).flatMap(([field, value]) =>
    field in answer ? differences(value, answer[field], `${path}.${field}`) : [`${path}.${field} is missing`],
  );
}

for (const name of PAGES.filter((page) => page.endsWith('.md'))) {
  const examples = examplesOf(await readFile(join(ROOT, name), 'utf8'));
  if (examples.length === 0) continue;

  test(`the examples of ${name} do what they say`, async () => {
    const server = await start();
    try {
      // The conversation that the README begins with another program.
      const client = await Client.connect(server.url, 'my-first-session');
      await client.ask('What is 15% of 240?');
      client.close();
      const outputs = await run(examples.map(({ script }) => script), server);
      for (const [index, { json, line }] of examples.entries()) {
        if (json === undefined) continue;
        const faults = differences(JSON.parse(json), JSON.parse(outputs[index]));
        assert.deepEqual(faults, [], `line ${line} of ${name}`);
      }
    } finally {
      await server.stop();
    }
  });
}

test('an example that does not do what it says would be found', async () => {
  assert.deepEqual(differences({ a: [{ b: 1 }], c: null }, { a: [{ b: 2, d: 3 }], c: 'x' }), []);
  assert.deepEqual(differences({ a: { b: 1 } }, { a: { b: '1' } }), ['.a.b is a string and not a number']);
  assert.deepEqual(differences({ a: [{ b: 1 }] }, { a: [{}] }), ['.a[0].b is missing']);
  const server = await start();
  try {
    const failing = run(['id=nobody', 'curl "$PATTER/api/sessions/$id"'], server);
    await assert.rejects(failing, /curl "\$PATTER[^]*404/);
  } finally {
    await server.stop();
  }
});
