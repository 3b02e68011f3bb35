// The types of the HTTP API say what its description says, field by field.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const read = (path) => readFile(new URL(path, import.meta.url), 'utf8');
const { components } = JSON.parse(await read('../../docs/openapi.json'));
const source = `${await read('../src/api/types.ts')}\n${await read('../src/api/server.ts')}`;

/** Names of ours that are not those of the description. */
const SCHEMAS = { StoredSession: 'Session' };
/** What is asked with, and described as parameters. */
const QUERIES = ['AnalyticsQuery'];

const interfaces = [...source.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)]
  .map(([, name, body]) => ({ name, fields: [...body.matchAll(/^ {2}(\w+\??): /gm)].map(([, field]) => field) }))
  .filter(({ name }) => !QUERIES.includes(name));

test('there are types to compare', () => {
  assert.ok(interfaces.length > 20);
});

for (const { name, fields } of interfaces) {
  test(`the fields of ${name} are those of the description`, () => {
    const { properties, required = [] } = components.schemas[SCHEMAS[name] ?? name];
    const described = Object.keys(properties).map((field) => (required.includes(field) ? field : `${field}?`));
    assert.deepEqual([...fields].sort(), described.sort());
  });
}
