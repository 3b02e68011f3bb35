// The page of a server that was built without Node, against the real server: only the three files
// that such a build embeds come from here, everything else is the server's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { say } from './support/browser.mjs';
import { untilText } from './support/page-suite.mjs';
import { serverSuite } from './support/server-suite.mjs';

const PLAIN = fileURLToPath(new URL('../plain/', import.meta.url));
const suite = serverSuite({ PATTER_LLM__PROVIDER: 'demo', PATTER_DEMO__DELAY_MS: '40' });

async function open() {
  const page = await suite.open('about:blank');
  // To Chromium what a test put in place comes from nowhere, and so must be let talk to loopback.
  await page.context().grantPermissions(['local-network-access']);
  for (const [path, file] of [['/', 'index.html'], ['/plain.css', 'plain.css'], ['/plain.js', 'plain.js']]) {
    await page.route((url) => url.pathname === path, (route) => route.fulfill({ path: PLAIN + file }));
  }
  await page.goto(suite.server.url + '/');
  return page;
}

test('the plain page talks to the real server: words, a tool call, stop, and the end', async () => {
  const page = await open();
  await say(page, 'What is 15% of 240?');
  await untilText(page.locator('.tool'), /^calculator .*240.* → .*36.* \(.+\)$/);
  await page.locator('#stop').waitFor({ state: 'hidden' });
  assert.match(await page.locator('.answer').innerText(), /\b36\b/);

  await say(page, 'What can you do?');
  await untilText(page.locator('.answer').nth(1), /\w+ \w+/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await untilText(page.locator('.answer .note'), 'Ended early: cancelled');

  await page.getByRole('button', { name: 'End session' }).click();
  await untilText(page.locator('#connection'), 'Ended');
  assert.match(await page.locator('#log').innerText(), /2 messages/);
});

test('the plain page goes on after the server was restarted in the middle of an answer', async () => {
  const page = await open();
  await say(page, 'What can you do?');
  await untilText(page.locator('.answer'), /\w+ \w+/);
  await suite.server.restart('SIGTERM');
  await untilText(page.locator('#connection'), /Connection lost/);
  await untilText(page.locator('#connection'), /Connected/);
  await page.locator('#stop').waitFor({ state: 'hidden' });
  const shown = await page.locator('.answer').innerText();
  await page.reload();
  await untilText(page.locator('.answer'), shown);
  assert.equal(await page.locator('.said').count(), 1);
});
