// The server goes away in the middle of an answer, and another one comes in its place.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { untilText } from './support/page-suite.mjs';
import { serverSuite } from './support/server-suite.mjs';

const suite = serverSuite({ PATTER_LLM__PROVIDER: 'demo', PATTER_DEMO__DELAY_MS: '40' });
let page;

/** Asks for a long answer, and waits for its first words. */
async function inTheMiddle() {
  page = await suite.open();
  await say(page, 'What can you do?');
  await untilText(page.locator('.answer .prose'), /\w+ \w+/);
}

const again = () => page.getByRole('button', { name: 'Try now' }).click({ timeout: 3_000 }).catch(() => undefined);

test('an answer outlives a restart in order, and is shown once and whole', async () => {
  await inTheMiddle();
  await suite.server.restart('SIGTERM');
  await again();
  await untilText(page.locator('.connection'), 'Connected');
  await page.locator('.measures').waitFor();
  assert.equal(await page.locator('.answer').count(), 1);
  assert.equal(await page.locator('.answer .note').count(), 0, 'it is whole');
  const shown = await page.locator('.answer .prose').innerText();
  await page.reload();
  await page.locator('.measures').waitFor();
  assert.equal(await page.locator('.answer .prose').innerText(), shown);
});

test('after a crash the message has one end that says so, and the conversation goes on', async () => {
  await inTheMiddle();
  await suite.server.restart('SIGKILL');
  await again();
  await untilText(page.locator('.connection'), 'Connected');
  await untilText(page.locator('.answer .note'), /Interrupted/);
  assert.equal(await page.locator('.answer').count(), 1);
  assert.deepEqual(await page.locator('.bubble').allInnerTexts(), ['What can you do?']);

  await say(page, 'What is 15% of 240?');
  await page.locator('.tool[data-state=done]').waitFor();
  await page.locator('.measures').last().waitFor();
});
