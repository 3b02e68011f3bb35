// The HTTP API held to its own document: the document is valid, and whatever schemathesis
// (PYTHON_PROGRAMS is where it is) makes of it, no answer of the real binary (PATTER_BIN) is
// outside of it, on either store. What is asked, and what is not, says schemathesis.toml.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from './client.mjs';
import { STORES } from './stores.mjs';

const PROGRAMS = process.env.PYTHON_PROGRAMS ?? '';
const DOCUMENT = join(import.meta.dirname, '..', 'docs', 'openapi.json');
const CONFIGURATION = join(import.meta.dirname, 'schemathesis.toml');

/** Runs a program of PYTHON_PROGRAMS to its end. */
async function run(program, args) {
  const child = spawn(join(PROGRAMS, program), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const [status] = await once(child, 'close');
  return { status, output };
}

test('the committed document is valid', async () => {
  const { status, output } = await run('openapi-spec-validator', ['--schema', '3.1', DOCUMENT]);
  assert.equal(status, 0, output);
});

for (const [store, start] of Object.entries(STORES)) {
  describe(`the API on ${store}`, () => {
    let server;

    before(async () => {
      server = await start();
      // Something to find, to search and to count.
      const client = await Client.connect(server.url, 'a-session');
      await client.ask('What is 15% of 240?');
      client.close();
    });
    after(() => server?.stop());

    test('serves the committed document', async () => {
      const served = await (await fetch(`${server.url}/openapi.json`)).json();
      assert.deepEqual(served, JSON.parse(await readFile(DOCUMENT, 'utf8')));
    });

    test('answers whatever is asked as the document says', async () => {
      const arguments_ = ['--config-file', CONFIGURATION, 'run', `${server.url}/openapi.json`, '--no-color'];
      const { status, output } = await run('schemathesis', arguments_);
      assert.equal(status, 0, output);
      const told = /(\d+) generated, \d+ found/.exec(output) ?? /Test cases:\n\s*(.*)/.exec(output);
      assert.ok(told, output);
    });
  });
}
