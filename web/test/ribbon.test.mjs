// The bar under an answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite } from './support/page-suite.mjs';

const suite = pageSuite();

test('a stored answer shows how it spent its time', async () => {
  const { page, session } = await suite.open();
  await say(page, 'What is 15% of 240?');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('It is ');
  answer.succeed(answer.call('calculator', { expression: '15% of 240' }), { result: '36' });
  await page.locator('.tool').waitFor();
  assert.equal(await page.locator('.ribbon').count(), 0, 'there is none while the answer runs');
  answer.stream('36.');
  answer.finish();
  const ribbon = page.getByRole('img', { name: /^Timing/ });
  await ribbon.waitFor();
  assert.equal(await ribbon.getAttribute('aria-label'), 'Timing: waiting 212 ms, words 1.70 s, tool 38 ms');
  const kinds = await ribbon.locator('rect').evaluateAll((parts) => parts.map((part) => part.dataset.activity));
  assert.deepEqual(kinds, ['waiting', 'words', 'tool']);
  const colours = await ribbon.locator('rect').evaluateAll((parts) => parts.map((part) => getComputedStyle(part).fill));
  assert.equal(new Set(colours).size, 3, 'each has its own colour');
  const { width } = await ribbon.boundingBox();
  assert.ok(Math.abs(width - (await page.locator('.answer').boundingBox()).width) < 2, 'it is as wide as the answer');
});
