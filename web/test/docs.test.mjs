// Swagger UI at `/docs`, as the real server serves it: it reads the document and calls the API,
// under a policy that lets it do no more.

import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { get } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { serverSuite } from './support/server-suite.mjs';

const suite = serverSuite();

test('an operation can be tried, and nobody else is asked', async () => {
  const page = await suite.open('about:blank');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${suite.server.url}/docs`);

  await page.locator('.opblock-summary', { has: page.locator('[data-path="/health"]') }).click();
  const operation = page.locator('.opblock.is-open');
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answer = operation.locator('.live-responses-table .response');
  await answer.waitFor();
  assert.match(await answer.locator('.response-col_status').innerText(), /^200/);
  assert.match(await answer.locator('.response-col_description').innerText(), /"status": "ok"/);
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });

  const elsewhere = asked.filter((url) => !url.startsWith(`${suite.server.url}/`) && !url.startsWith('data:'));
  assert.deepEqual(elsewhere, []);
  assert.ok(asked.includes(`${suite.server.url}/health`));
});

/** A file as it is sent: `fetch` would hide how. */
async function sent(path, headers) {
  const [response] = await once(get(new URL(path, suite.server.url), { headers }), 'response');
  const chunks = await response.toArray();
  return { ...response, status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

test('its files are sent compressed to who takes it, and once', async () => {
  const gzip = await sent('/docs/swagger-ui-bundle.js', { 'accept-encoding': 'gzip' });
  assert.equal(gzip.headers['content-encoding'], 'gzip');
  assert.ok(gzip.body.length < 600_000, `${gzip.body.length} bytes`);
  const plain = await sent('/docs/swagger-ui-bundle.js', {});
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.ok(gunzipSync(gzip.body).equals(plain.body));
  const again = await sent('/docs/swagger-ui-bundle.js', { 'if-none-match': gzip.headers.etag });
  assert.equal(again.status, 304);
  assert.equal(again.body.length, 0);
});

test('the page may run and load what the server has, and nothing else', async () => {
  const page = await sent('/docs/', {});
  const policy = page.headers['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.equal((await sent('/docs', {})).headers.location, '/docs/');
  assert.equal((await sent('/docs/nothing.js', {})).status, 404);
});
