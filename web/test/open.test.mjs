// Opening what is stored: without beginning anew what is over, however long it is, at any place of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';
import { asked } from './support/stored.mjs';

const suite = pageSuite();
const METRICS = {
  duration_ms: 61_000,
  user_messages: 1,
  ai_responses: 1,
  tool_calls: 0,
  tool_errors: 0,
  input_tokens: 120,
  output_tokens: 9,
  cost_usd: null,
  mean_first_token_ms: 212,
};

/** Stores turns in a session that nobody is connected to. */
function fill(session, turns) {
  session.store('session_started', { user_id: null, metadata: {} });
  for (let turn = 1; turn <= turns; turn += 1) {
    session.store('user_message', { id: `m-${turn}`, content: `Question ${turn}`, metadata: {}, replaces: null });
    const answer = session.startAnswer(`m-${turn}`);
    answer.token(`Answer ${turn}`);
    answer.finish();
  }
}

test('a session that is over is read without being begun anew, and goes on with the first word', async () => {
  const { page, session } = await suite.open({ path: '/?view=analytics' });
  fill(session, 2);
  session.store('session_ended', { reason: 'disconnect', summary: 'They counted.', metrics: METRICS });
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  await untilText(page.locator('.closing .summary'), /They counted/);
  await untilText(page.locator('.hint'), /has ended/);
  assert.deepEqual(session.attached, [], 'it was connected to');

  await say(page, 'Go on');
  const message = await session.next('user_message');
  assert.equal(message.content, 'Go on');
  assert.deepEqual(session.attached, [6], 'it was not connected to behind what is shown');
  assert.equal(await page.locator('.said').count(), 3);
});

test('a session that was ended here can be gone on with', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Hi');
  answer.finish();
  await page.getByRole('button', { name: 'End session' }).click();
  await page.getByRole('button', { name: 'Go on here' }).click();
  await say(page, 'One more thing');
  assert.equal((await session.next('user_message')).content, 'One more thing');
});

test('of a long session the newest part is shown, and the rest when it is asked for', async () => {
  const { page, session } = await suite.open({ path: '/?view=analytics' });
  fill(session, 5_000);
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  await untilText(page.locator('.answer .prose').last(), /Answer 5000/);
  await untilText(page.locator('.connection'), 'Connected');
  assert.deepEqual(session.attached, [10_001], 'what was read was sent once more');

  const shown = await page.locator('.said').count();
  assert.ok(shown <= 100, `${shown} messages are shown at once`);
  await page.getByRole('button', { name: 'Show earlier messages' }).click();
  await page.locator('.said').nth(shown).waitFor();
  const texts = await page.locator('.bubble').allTextContents();
  assert.deepEqual(texts, texts.map((_, index) => `Question ${5_001 - texts.length + index}`));
  // What was read before is still in view, and not the end.
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'log');
  const first = await page.locator('.bubble').filter({ hasText: `Question ${5_001 - shown}` }).boundingBox();
  assert.ok(first.y > 0 && first.y < 800, `it stands at ${first.y}`);
});

test('a session opens at the message that the address names', async () => {
  const { page, session, api } = await suite.open({ path: '/?view=analytics' });
  fill(session, 1_500);
  // The question of turn 40.
  await page.goto(new URL(`/?session=${session.id}&at=80`, page.url()).href);
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-seq') === '80');
  assert.equal(await page.locator('[data-seq="80"] .bubble').textContent(), 'Question 40');
  const inView = await page.locator('[data-seq="80"]').evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  assert.ok(inView, 'it is not in view');
  const requests = asked(api, 'GET', `/api/sessions/${session.id}/events`).length;
  assert.ok(requests <= 4, `${requests} requests for 3 000 events`);
});

test('a summary that came late is found where the session ended', async () => {
  const { page, session } = await suite.open({ path: '/?view=analytics' });
  fill(session, 2);
  const { seq } = session.store('session_ended', { reason: 'disconnect', summary: null, metrics: METRICS });
  session.store('session_summary', { summary: 'They counted.' });
  await page.goto(new URL(`/?session=${session.id}&at=${seq + 1}`, page.url()).href);
  await page.waitForFunction(() => document.activeElement?.className === 'closing');
  assert.match(await page.locator('.closing').innerText(), /They counted/);
});

test('what is written before the log was read is sent once, behind it', async () => {
  const { page, session, api } = await suite.open({ path: '/?view=analytics' });
  fill(session, 1);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/api/sessions/**', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  await say(page, 'Quick');
  assert.deepEqual(session.attached, []);
  release();
  assert.equal((await session.next('user_message')).content, 'Quick');
  await untilText(page.locator('.bubble').last(), 'Quick');
  assert.equal(await page.locator('.said').count(), 2);
  assert.ok(api.requests.length > 0);
});

test('without the HTTP API a session is opened by its connection', async () => {
  const { page, session, api } = await suite.open({ path: '/?view=analytics' });
  fill(session, 2);
  api.reply(`GET /api/sessions/${session.id}`, { title: 'away' }, 503);
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  await untilText(page.locator('.answer .prose').last(), /Answer 2/);
  assert.deepEqual(session.attached, [null]);
});

test('a long conversation is let go of at the bottom alone, and what went is a part like any other', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  const turn = (number) => {
    session.store('user_message', { id: `m-${number}`, content: `Question ${number}`, metadata: {}, replaces: null });
    const answer = session.startAnswer(`m-${number}`);
    answer.token(`Answer ${number}\n\n${'Many words. '.repeat(800)}`);
    answer.finish();
  };
  for (let number = 1; number <= 4; number += 1) turn(number);
  await untilText(page.locator('.answer .prose').last(), /Answer 4/);
  // Somebody reads further up: nothing goes.
  await page.locator('.log').hover();
  await page.mouse.wheel(0, -3_000);
  const jump = page.getByRole('button', { name: 'Jump to latest' });
  await jump.waitFor();
  for (let number = 5; number <= 10; number += 1) turn(number);
  await untilText(page.locator('.answer .prose').last(), /Answer 10/);
  assert.equal(await page.locator('.said').count(), 10);
  await jump.click();
  // The button that had the focus is gone; a selection holds it all.
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector('.bubble')));
  turn(11);
  await untilText(page.locator('.answer .prose').last(), /Answer 11/);
  assert.equal(await page.locator('.said').count(), 11);
  await page.evaluate(() => getSelection().removeAllRanges());
  turn(12);
  await untilText(page.locator('.answer .prose').last(), /Answer 12/);
  await page.locator('.bubble', { hasText: /^Question 1$/ }).waitFor({ state: 'detached' });
  const shown = await page.locator('.said').count();
  assert.ok(shown < 8, `${shown} are shown`);
  const atBottom = () => page.locator('.log').evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop < 5);
  assert.ok(await atBottom(), 'the end is not in view any more');
  assert.equal(await jump.count(), 0);
  turn(13);
  await untilText(page.locator('.answer .prose').last(), /Answer 13/);
  await page.waitForFunction(() => {
    const log = document.querySelector('.log');
    return log.scrollHeight - log.clientHeight - log.scrollTop < 5;
  });

  await page.getByRole('button', { name: 'Show earlier messages' }).click();
  await page.locator('.bubble', { hasText: /^Question 1$/ }).waitFor();
  const texts = await page.locator('.bubble').allTextContents();
  assert.deepEqual(texts, texts.map((_, index) => `Question ${index + 1}`));
  assert.equal(texts.length, 13);
});

test('messages, answers and calls may have any names', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  for (const id of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    session.store('user_message', { id, content: `Question ${id}`, metadata: {}, replaces: null });
    session.store('tool_call', { response_id: id, call_id: id, name: id, arguments: {}, needs_approval: false });
    session.store('tool_result', { response_id: id, call_id: id, name: id, ok: true, content: 1, duration_ms: 1 });
    const answer = session.startAnswer(id);
    answer.id = id;
    answer.token(`Answer ${id}`);
    answer.finish();
  }
  await untilText(page.locator('.answer .prose').last(), /Answer hasOwnProperty/);
  assert.equal(await page.locator('.said').count(), 4);
  assert.equal(await page.locator('.answer .tool').count(), 4);
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'The message as it should be' }).fill('Better');
  await page.reload();
  assert.equal(await page.getByRole('textbox', { name: 'The message as it should be' }).inputValue(), 'Better');
});

test('a message that is too long for the server is refused, and the session goes on', async () => {
  const { page, session } = await suite.open({ path: '/?view=analytics' });
  session.away = true;
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  await say(page, 'x'.repeat(40_000));
  await say(page, 'Short');
  session.away = false;
  assert.equal((await session.next('user_message')).content, 'Short');
  await untilText(page.locator('.said[data-delivery=refused] .note'), 'Not taken: Too long: 40,000 of 32,768 bytes.');
  assert.equal(session.received.filter(({ type }) => type === 'user_message').length, 1);
  await page.getByRole('button', { name: 'Discard' }).click();
  assert.deepEqual(await page.locator('.bubble').allTextContents(), ['Short']);
});
