// Looking at what a session receives, event by event.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();
const WIDE = { viewport: { width: 1400, height: 900 } };
const HOSTILE = '<img src=x onerror=alert(1)>\u202e{{7*7}}"\'';

/** Opens the inspector of a page. */
async function look(page) {
  await untilText(page.locator('.connection'), 'Connected');
  await page.getByRole('button', { name: 'Inspector' }).click();
  await page.locator('.event').first().waitFor();
}

/** Has the page ask, and begins the answer. */
async function ask(page, session, text = 'Hello') {
  await say(page, text);
  return session.startAnswer((await session.next('user_message')).id);
}

const types = (page) => page.locator('.event .type').allTextContents();

test('the timeline has what came before it was opened, and what comes', async () => {
  const { page, session } = await suite.open(WIDE);
  const answer = await ask(page, session);
  answer.stream('Some words');
  await page.locator('.answer .prose').waitFor();
  await look(page);
  const before = await types(page);
  assert.deepEqual(before.slice(-3), ['user_message', 'response_started', 'token']);
  assert.ok(before.includes('session_ready'));
  answer.succeed(answer.call('calculator', { expression: '1+1' }), { result: 2 });
  answer.finish();
  await page.locator('.event .type', { hasText: 'ai_response' }).waitFor();
  assert.deepEqual((await types(page)).slice(before.length), ['tool_call', 'tool_result', 'response_finished', 'ai_response']);
  assert.match(await page.locator('.event .brief').nth(before.length - 1).textContent(), /^2 tokens in .* · Some words$/);
  assert.match(await page.locator('.event .time').first().textContent(), /^\+0\.000$/);
  assert.match(await page.locator('.numbers').innerText(), /First token\s+212 ms[\s\S]*Tokens\/s\s+5\.2[\s\S]*Tokens\s+9[\s\S]*Whole\s+1\.95 s/);
});

test('the numbers of an answer are there while it runs', async () => {
  const { page, session } = await suite.open(WIDE);
  await look(page);
  const answer = await ask(page, session);
  answer.stream('Some more words than one');
  await untilText(page.locator('.numbers'), /First token\d.*Tokens4Wholerunning/);
});

test('any event can be opened as it came', async () => {
  const { page, session } = await suite.open(WIDE);
  const answer = await ask(page, session);
  answer.stream('Some words');
  await look(page);
  const message = page.locator('.event', { hasText: 'user_message' });
  await message.getByRole('button').first().click();
  const raw = JSON.parse(await message.locator('pre').textContent());
  assert.equal(raw.content, 'Hello');
  assert.equal(raw.seq, 2);
  const tokens = page.locator('.event', { has: page.locator('.type', { hasText: /^token$/ }) });
  await tokens.getByRole('button').first().click();
  const lines = (await tokens.locator('pre').textContent()).split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ index }) => index), [0, 1]);
  assert.equal(await message.locator('pre').count(), 0, 'one is open at a time');
});

test('kinds can be left out, and what is shown is copied as JSONL', async () => {
  const { page, session } = await suite.open({ ...WIDE, permissions: ['clipboard-read', 'clipboard-write'] });
  const answer = await ask(page, session);
  answer.stream('Some words');
  answer.finish();
  await look(page);
  await page.getByRole('button', { name: 'Session', exact: true }).click();
  await page.getByRole('button', { name: 'Tokens', exact: true }).click();
  assert.deepEqual(await types(page), ['user_message', 'response_started', 'response_finished', 'ai_response']);
  await page.getByRole('button', { name: 'Copy JSONL' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ event }) => event.type), await types(page));
  assert.ok(Math.abs(Date.parse(lines[0].received_at) - Date.now()) < 600_000);
  await page.getByRole('button', { name: 'Tokens', exact: true }).click();
  await page.locator('.event .type', { hasText: /^token$/ }).waitFor();
});

test('thousands of events leave a small page, which can be gone through', async () => {
  const { page, session } = await suite.open(WIDE);
  await look(page);
  for (let index = 0; index < 3_000; index += 1) session.live({ type: 'notice', code: 'draining', message: `number ${index}` });
  await page.locator('.event .brief', { hasText: 'number 2999' }).waitFor();
  assert.equal(await page.locator('.event').count(), 200);
  const atEnd = () => page.locator('.events').evaluate((list) => list.scrollHeight - list.clientHeight - list.scrollTop < 4);
  assert.equal(await atEnd(), true);
  await page.getByRole('button', { name: '1800 earlier' }).click();
  await page.locator('.event .brief', { hasText: 'number 2899' }).waitFor();
  session.live({ type: 'notice', code: 'draining', message: 'one more' });
  await page.getByRole('button', { name: '101 later' }).waitFor();
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await page.locator('.event .brief', { hasText: 'one more' }).waitFor();
  await page.waitForFunction(() => {
    const list = document.querySelector('.events');
    return list.scrollHeight - list.clientHeight - list.scrollTop < 4;
  });
});

test('who scrolls up or pauses reads on undisturbed', async () => {
  const { page, session } = await suite.open(WIDE);
  await look(page);
  for (let index = 0; index < 60; index += 1) session.live({ type: 'notice', code: 'draining', message: `number ${index}` });
  await page.locator('.event .brief', { hasText: 'number 59' }).waitFor();
  await page.locator('.events').hover();
  await page.mouse.wheel(0, -300);
  await page.getByRole('button', { name: 'Live', exact: true }).waitFor();
  session.live({ type: 'notice', code: 'draining', message: 'unseen' });
  await page.getByRole('button', { name: '1 later' }).waitFor();
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await page.locator('.event .brief', { hasText: 'unseen' }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  session.live({ type: 'notice', code: 'draining', message: 'unseen too' });
  await page.getByRole('button', { name: '1 later' }).waitFor();
});

test('a fast answer does not draw the timeline for every token', async () => {
  const { page, session } = await suite.open(WIDE);
  await look(page);
  await page.evaluate(() => {
    globalThis.changes = 0;
    const observer = new MutationObserver(() => (globalThis.changes += 1));
    observer.observe(document.querySelector('.events'), { subtree: true, childList: true, characterData: true });
  });
  const answer = await ask(page, session);
  for (let index = 0; index < 2_000; index += 1) answer.token(`${index} `);
  await untilText(page.locator('.numbers'), /Tokens2,000/);
  const rows = await page.locator('.event').count();
  assert.ok(rows < 20, `${rows} rows`);
  assert.ok((await page.evaluate(() => globalThis.changes)) < 1_000);
});

test('its keys open and close it, also while somebody types', async () => {
  const { page } = await suite.open(WIDE);
  await untilText(page.locator('.connection'), 'Connected');
  await page.getByRole('textbox').fill('half a ');
  await page.keyboard.press("Control+'");
  await page.getByRole('complementary', { name: 'Inspector' }).waitFor();
  assert.equal(await page.getByRole('textbox').inputValue(), 'half a ');
  await page.keyboard.press("Control+'");
  await page.getByRole('complementary', { name: 'Inspector' }).waitFor({ state: 'detached' });
});

for (const [name, viewport] of Object.entries({ 'a tablet': { width: 1100, height: 800 }, 'a phone': { width: 390, height: 844 } })) {
  test(`it is a drawer on ${name}, and gives the focus back`, async () => {
    const { page } = await suite.open({ viewport, bypassCSP: true });
    await look(page);
    await page.getByRole('dialog', { name: 'Inspector' }).waitFor();
    assert.deepEqual(await violations(page), []);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, 'the page does not scroll sideways');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Inspector');
  });
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong in ${colorScheme}, and hostile names are only text`, async () => {
    const { page, session } = await suite.open({ ...WIDE, colorScheme, bypassCSP: true });
    const answer = await ask(page, session, HOSTILE);
    answer.succeed(answer.call(HOSTILE, { [HOSTILE]: HOSTILE }), { result: HOSTILE });
    answer.stream(HOSTILE);
    answer.finish();
    session.live({ type: 'error', code: 'internal', message: HOSTILE, retryable: false });
    session.live({ type: HOSTILE, [HOSTILE]: HOSTILE });
    await look(page);
    await page.getByRole('button', { name: 'Other', exact: true }).click();
    const call = page.locator('.event', { hasText: 'tool_call' });
    await call.getByRole('button').first().click();
    assert.equal(JSON.parse(await call.locator('pre').textContent()).name, HOSTILE);
    assert.equal(await page.locator('.inspector img').count(), 0);
    assert.deepEqual(await violations(page), []);
  });
}
