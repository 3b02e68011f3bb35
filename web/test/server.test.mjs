// The page as the real server serves it, talking to the demo model.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { openPage, say, startBrowser } from './support/browser.mjs';
import { untilText } from './support/page-suite.mjs';
import { startPatter } from './support/patter.mjs';

let browser, server, page;

before(async () => {
  // One after the other: what has started is stopped where the next one does not start.
  server = await startPatter();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  const { faults } = page;
  await page.context().close();
  assert.deepEqual(faults, [], 'the page ran into errors or broke its Content-Security-Policy');
});

test('a conversation from the first question to the summary', async () => {
  page = await openPage(browser, server.url);
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
  page = await openPage(browser, server.url);
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
  page = await openPage(browser, server.url);
  const html = await fetch(server.url, { headers: { accept: 'text/html' } });
  assert.equal(html.headers.get('cache-control'), 'no-cache');
  assert.match(html.headers.get('content-security-policy') ?? '', /default-src 'none'.*trusted-types dompurify/);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await html.text())?.[1];
  const asset = await fetch(new URL(script, server.url), { headers: { 'accept-encoding': 'br' } });
  assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
  assert.equal(asset.headers.get('content-encoding'), 'br');
});
