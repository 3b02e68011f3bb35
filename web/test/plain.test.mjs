// The page for a server that was built without Node.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite({ plain: true });

test('the plain page sends, streams, shows a tool call, ends, and shows the summary', async () => {
  const { page, session } = await suite.open();
  await say(page, 'What is 15% of 240?');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('Let me count. ');
  const call = answer.call('calculator', { expression: '15% of 240' });
  await untilText(page.locator('.tool'), 'calculator {"expression":"15% of 240"} …');
  answer.succeed(call, { result: '36' });
  answer.stream('It is <b>36</b>.');
  await untilText(page.locator('.answer p').last(), 'It is <b>36</b>.');
  answer.finish();
  await page.locator('#stop').waitFor({ state: 'hidden' });
  await untilText(page.locator('.tool'), 'calculator {"expression":"15% of 240"} → {"result":"36"} (38 ms)');

  await page.getByRole('button', { name: 'End session' }).click();
  await untilText(page.locator('#connection'), 'Ended');
  assert.match(await page.locator('#log').innerText(), /They talked about sums\.[\s\S]*61 s, 1 messages/);
  assert.equal(await page.locator('#message').isVisible(), false);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong with the plain page: ${colorScheme}`, async () => {
    const { page, session } = await suite.open({ colorScheme, bypassCSP: true });
    await say(page, 'Hello');
    const answer = session.startAnswer((await session.next('user_message')).id);
    answer.fail(answer.call('calculator', {}), { code: 'failed', message: 'no expression' });
    answer.stream('Sorry.');
    answer.finish('length');
    await page.locator('.note').waitFor();
    assert.deepEqual(await violations(page), []);
  });
}

test('Stop on the plain page keeps the text', async () => {
  const { page, session } = await suite.open();
  await say(page, 'A long story');
  session.startAnswer((await session.next('user_message')).id).stream('Once upon');
  await page.getByRole('button', { name: 'Stop' }).click();
  await untilText(page.locator('.answer .note'), 'Ended early: cancelled');
  assert.match(await page.locator('.answer').innerText(), /Once upon/);
});

test('the plain page comes back after a cut with everything and nothing twice', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Count');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('one two ');
  await untilText(page.locator('.answer'), 'one two ');
  session.away = true;
  session.cut();
  await untilText(page.locator('#connection'), /Connection lost/);
  await say(page, 'And then?');
  answer.stream('three ');
  session.away = false;
  await untilText(page.locator('.answer'), 'one two three ');
  assert.deepEqual(session.attached, [null, 2]);
  const second = await session.next('user_message');
  assert.equal(second.content, 'And then?');
  answer.stream('four');
  answer.finish();
  await untilText(page.locator('.answer'), 'one two three four');
  assert.equal(await page.locator('.said').count(), 2);
});

test('the plain page takes away what was shown of an answer that the server lost in a crash', async () => {
  const { page, session } = await suite.open();
  const notice = { type: 'notice', code: 'demo_model', message: 'This is the demo.' };
  session.live(notice);
  await say(page, 'Count');
  const { id } = await session.next('user_message');
  session.startAnswer(id).stream('one two ');
  await untilText(page.locator('.answer'), 'one two ');
  session.answer = null;
  session.cut();
  await untilText(page.locator('#connection'), /Connection lost/);
  await untilText(page.locator('#connection'), /Connected/);
  session.live(notice);
  session.startAnswer(id).finish('interrupted');
  await untilText(page.locator('.answer'), 'Ended early: interrupted');
  assert.equal(await page.locator('#stop').isVisible(), false);
  assert.equal(await page.getByText('This is the demo.').count(), 1);
});
