// What a lost connection, a reload, a hidden tab and a silent network must not take away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

test('a cut connection shows a strip and loses nothing', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Count');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('one two ');
  await untilText(page.locator('.answer .prose'), /one two/);

  session.away = true;
  session.cut();
  await untilText(page.locator('[data-strip=connection] strong'), /Connection lost/);
  assert.equal(await page.getByRole('alert').innerText(), 'Connection lost');
  await say(page, 'And then?');
  await untilText(page.locator('.said .note'), 'Will be sent when connected');
  answer.stream('three ');
  const call = answer.call('calculator', { expression: '1+1' });
  answer.succeed(call, { result: '2' });
  session.away = false;

  await untilText(page.locator('.answer .prose').first(), /one two three/);
  assert.equal(await page.locator('[data-strip=connection]').count(), 0);
  await untilText(page.locator('.tool .state'), 'done');
  assert.equal((await session.next('user_message')).content, 'And then?');
  answer.stream('four');
  answer.finish();
  await untilText(page.locator('.answer .prose').last(), /^four\s*$/);
  assert.deepEqual(session.attached, [null, 2]);
  assert.deepEqual(await page.locator('.said .bubble').allInnerTexts(), ['Count', 'And then?']);
});

test('a reload in the middle of an answer shows all of it', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Count');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('one two ');
  const call = answer.call('calculator', { expression: '1+1' });
  answer.succeed(call, { result: '2' });
  answer.stream('three ');
  await untilText(page.locator('.answer .prose').last(), /three/);
  await page.reload();
  await untilText(page.locator('.answer .prose').last(), /three/);
  answer.stream('four');
  await untilText(page.locator('.answer .prose').last(), /three four/);
  answer.finish();
  await page.locator('.measures').waitFor();
  assert.deepEqual(await page.locator('.bubble').allInnerTexts(), ['Count']);
  assert.equal(await page.locator('.tool').count(), 1);
});

test('what was written without a connection outlives a reload', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.away = true;
  session.cut();
  await say(page, 'Remember me');
  await page.reload();
  await untilText(page.locator('.bubble'), 'Remember me');
  session.away = false;
  assert.equal((await session.next('user_message')).content, 'Remember me');
  await page.locator('.said[data-delivery=stored]').waitFor();
});

test('a network that fell silent is noticed in less than 20 seconds', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Count');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('one ');
  await untilText(page.locator('.answer .prose'), /one/);
  await page.clock.install();
  session.silent = true;
  answer.stream('two ');
  await page.clock.runFor(12_000);
  await session.next('ping');
  session.silent = false;
  await page.clock.runFor(8_000);
  await untilText(page.locator('.answer .prose'), /one two/);
});

test('a hidden tab goes on receiving', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Count');
  const answer = session.startAnswer((await session.next('user_message')).id);
  await page.locator('.answer').waitFor();
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true });
    globalThis.requestAnimationFrame = () => 0; // No frames are drawn while hidden.
  });
  answer.stream('one two three');
  await untilText(page.locator('.answer .prose'), /one two three/);
});

test('a connection that the server closed for good says so', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.closeAll(1008);
  await untilText(page.locator('[data-strip=connection] strong'), 'The server closed this connection (code 1008).');
  await page.getByRole('button', { name: 'Try now' }).click();
  await untilText(page.locator('.connection'), 'Connected');
});

test('a wish to end outlives the connection', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Hello');
  await page.locator('.said[data-delivery=stored]').waitFor();
  session.silent = true;
  await page.getByRole('button', { name: 'End session' }).click();
  await session.next('end');
  session.silent = false;
  session.cut();
  await session.next('end');
  await untilText(page.locator('.closing .summary'), /They talked about sums\./);
});

test('what a server said of itself before it restarted is not said any more', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.live({ type: 'notice', code: 'draining', message: 'The server is about to restart.' });
  await page.locator('[data-notice=draining]').waitFor();
  session.cut();
  await page.locator('[data-notice=draining]').waitFor({ state: 'detached' });
  await untilText(page.locator('.connection'), 'Connected');
});

test('an end is no lost connection', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Hi');
  answer.finish();
  await page.locator('.measures').waitFor();
  await page.evaluate(() => {
    globalThis.alarms = 0;
    new MutationObserver(() => (globalThis.alarms += document.querySelectorAll('[data-strip=connection]').length)).observe(
      document.body, { childList: true, subtree: true });
  });
  await page.getByRole('button', { name: 'End session' }).click();
  await page.getByRole('button', { name: 'New conversation' }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.alarms), 0);
});

test('who is writing while somebody else ends the session goes on writing', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await page.getByRole('textbox').fill('Half a thou');
  session.store('session_ended', {
    reason: 'client', summary: null,
    metrics: {
      duration_ms: 1, user_messages: 0, ai_responses: 0, tool_calls: 0, tool_errors: 0, input_tokens: 0,
      output_tokens: 0, cost_usd: null, mean_first_token_ms: null,
    },
  });
  session.closeAll(1000);
  await page.locator('.closing').waitFor();
  await page.keyboard.type('ght');
  assert.equal(await page.getByRole('textbox').inputValue(), 'Half a thought');
  await page.keyboard.press('Enter');
  assert.equal((await session.next('user_message')).content, 'Half a thought');
});
