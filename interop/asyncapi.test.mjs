// The document of the WebSocket as the real binary (PATTER_BIN) serves it: the official parser of
// AsyncAPI takes it, and what the server says in a conversation is what it says there.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { DiagnosticSeverity, Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import { startPatter } from '../web/test/support/patter.mjs';
import { Client } from './client.mjs';

let server, text;

before(async () => {
  server = await startPatter();
  text = await (await fetch(`${server.url}/asyncapi.json`)).text();
});
after(() => server?.stop());

async function parsed(source) {
  const { document, diagnostics } = await new Parser().parse(source);
  // Anything less is advice.
  const faults = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
  return { document, faults: faults.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

/** What does not fit the schema of a message. */
function misfits(message, payload) {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(message.payload().json());
  return validate(payload) ? [] : validate.errors.map((error) => `${message.name()}${error.instancePath}`);
}

test('it is the committed one', async () => {
  const committed = await readFile(new URL('../docs/asyncapi.json', import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(text), JSON.parse(committed));
});

test('it is a valid AsyncAPI document', async () => {
  assert.deepEqual((await parsed(text)).faults, []);
  const { faults } = await parsed(text.replaceAll('#/components/schemas/CallId', '#/components/schemas/Nothing'));
  assert.match(faults.join('\n'), /Nothing/, 'one that is not would be found');
});

test('its examples fit the schemas of their messages', async () => {
  const { document } = await parsed(text);
  const messages = document.messages().all();
  assert.ok(messages.length > 20);
  for (const message of messages) {
    const [example] = message.examples().all();
    assert.deepEqual(misfits(message, example.payload()), []);
  }
  const token = messages.find((message) => message.name() === 'token');
  assert.deepEqual(misfits(token, { ...token.examples().all()[0].payload(), index: 'none' }), ['token/index']);
});

test('every frame of a conversation fits the schema of its message', async () => {
  const { document } = await parsed(text);
  const sent = document.operations().filterBySend()[0].messages().all();
  const client = await Client.connect(server.url);
  const events = [...(await client.ask('What is 15% of 240?')), ...(await client.ask('What is the weather in Lisbon?'))];
  client.close();
  assert.ok(events.some((event) => event.type === 'tool_result'));
  for (const event of events) {
    const message = sent.find((message) => message.name() === event.type);
    assert.deepEqual(misfits(message, event), [], JSON.stringify(event));
  }
});
