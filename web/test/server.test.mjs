// The page as the real server serves it, talking to the demo model.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { untilText } from './support/page-suite.mjs';
import { serverSuite } from './support/server-suite.mjs';

const suite = serverSuite();

test('a conversation from the first question to the summary', async () => {
  const page = await suite.open();
  await page.locator('[data-notice=demo_model]').waitFor();
  await say(page, 'What is 15% of 240?');
  await page.locator('.tool[data-tool=calculator][data-state=done]').waitFor();
  await page.locator('.measures').waitFor();
  assert.match(await page.locator('.answer').innerText(), /\b36\b/);

  await say(page, 'What is the weather in Lisbon?');
  await page.locator('.tool[data-tool=data_fetcher][data-state=done]').waitFor();
  await page.locator('.measures').nth(1).waitFor();

  await page.reload();
  await page.locator('.measures').nth(1).waitFor();
  assert.deepEqual(await page.locator('.bubble').allInnerTexts(), [
    'What is 15% of 240?',
    'What is the weather in Lisbon?',
  ]);

  await page.getByRole('button', { name: 'End session' }).click();
  await page.getByRole('button', { name: 'New conversation' }).waitFor();
  assert.ok((await page.locator('.closing .summary').innerText()).length > 20, 'a summary with content');
  assert.match(await page.locator('.closing dl').innerText(), /messages\n2\nanswers\n2\ntool calls\n2\n/);
});

test('an answer can be stopped, and a reload in its middle shows all of it', async () => {
  const page = await suite.open();
  await say(page, 'What can you do?');
  await untilText(page.locator('.answer .prose'), /\w+ \w+/);
  await page.reload();
  await untilText(page.locator('.answer .prose'), /\w+ \w+/);
  await page.locator('.measures').waitFor();

  await say(page, 'What can you do?');
  await untilText(page.locator('.answer').nth(1).locator('.prose'), /\w+ \w+/);
  await page.keyboard.press('Escape');
  await untilText(page.locator('.answer').nth(1).locator('.note'), 'Stopped.');
  assert.match(await page.locator('.answer').nth(1).locator('.prose').innerText(), /\w+ \w+/);
});

test('the page is served so that it can be kept, and may do no more than it must', async () => {
  const page = await suite.open();
  const html = await fetch(suite.server.url, { headers: { accept: 'text/html' } });
  assert.equal(html.headers.get('cache-control'), 'no-cache');
  assert.match(html.headers.get('content-security-policy') ?? '', /default-src 'none'.*trusted-types dompurify/);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await html.text())?.[1];
  const asset = await fetch(new URL(script, suite.server.url), { headers: { 'accept-encoding': 'br' } });
  assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
  assert.equal(asset.headers.get('content-encoding'), 'br');
});
