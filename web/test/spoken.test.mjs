// What a screen reader is told: each thing once, and nothing that is old.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

/** A connected page that writes down what is said. */
async function heard() {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await page.evaluate(() => {
    globalThis.heard = [];
    const status = document.querySelector('[role=status]');
    new MutationObserver(() => globalThis.heard.push(status.textContent)).observe(status, { childList: true, subtree: true });
  });
  return { page, session, spoken: () => page.evaluate(() => globalThis.heard) };
}

/** Says things that the server does not answer. Answers with their ids. */
async function saidInVain(page, session, ...texts) {
  session.silent = true;
  const ids = [];
  for (const text of texts) {
    await say(page, text);
    ids.push((await session.next('user_message')).id);
  }
  session.silent = false;
  return ids;
}

const refusal = (message_id, message) => ({ type: 'error', code: 'busy', message, retryable: true, message_id });

test('each refusal is said once, whichever message it is of', async () => {
  const { page, session, spoken } = await heard();
  const [one, two, three, four] = await saidInVain(page, session, 'One', 'Two', 'Three', 'Four');
  session.live(refusal(two, 'second'));
  await untilText(page.getByRole('status'), 'Not taken: second');
  session.live(refusal(one, 'first'));
  await untilText(page.getByRole('status'), 'Not taken: first');
  session.live(refusal(three, 'third'));
  session.live(refusal(four, 'fourth'));
  await untilText(page.getByRole('status'), /fourth/);
  for (let left = 4; left > 0; left -= 1) {
    await page.getByRole('button', { name: 'Discard' }).last().click();
    await page.waitForFunction((count) => document.querySelectorAll('.said').length === count, left - 1);
  }
  const all = (await spoken()).join(' ');
  for (const reason of ['first', 'second', 'third', 'fourth']) assert.equal(all.split(reason).length, 2, all);
});

test('the end is said once', async () => {
  const { page, session, spoken } = await heard();
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Hi');
  answer.finish();
  await untilText(page.locator('.answer .prose'), /Hi/);
  const [id] = await saidInVain(page, session, 'No');
  session.live(refusal(id, 'full'));
  await untilText(page.getByRole('status'), 'Not taken: full');
  await page.getByRole('button', { name: 'End session' }).click();
  await untilText(page.getByRole('status'), 'Session ended');
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.said').length === 1);
  assert.equal((await spoken()).filter((text) => text === 'Session ended').length, 1);
});

test('what is wrong with a message that is written anew is said when it is asked to be sent', async () => {
  const { page, session, spoken } = await heard();
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Hi');
  answer.finish();
  await page.getByRole('button', { name: 'Edit' }).click();
  const box = page.getByRole('textbox', { name: 'The message as it should be' });
  assert.equal(await box.getAttribute('aria-describedby'), null);
  const complaints = async () => (await spoken()).filter((text) => text.startsWith('Too long'));
  await box.fill('x'.repeat(32_769));
  await untilText(page.getByRole('status'), 'Too long: 32,769 of 32,768 bytes.');
  assert.equal((await complaints()).length, 1);
  const described = await box.getAttribute('aria-describedby');
  assert.equal(await page.evaluate((id) => document.getElementById(id).textContent, described), 'Too long: 32,769 of 32,768 bytes.');
  await box.press('Enter');
  await page.waitForFunction(() => globalThis.heard.filter((text) => text.startsWith('Too long')).length === 2);
  await box.fill('x'.repeat(32_770));
  await untilText(page.getByRole('status'), 'Too long: 32,770 of 32,768 bytes.');
});

test('a message that was being written anew when the session ended cannot be sent as if nothing were', async () => {
  const { page, session } = await heard();
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Hi');
  answer.finish();
  await page.getByRole('button', { name: 'Edit' }).click();
  const box = page.getByRole('textbox', { name: 'The message as it should be' });
  await box.fill('Good day');
  await page.getByRole('button', { name: 'End session' }).click();
  await untilText(page.locator('.edit .hint'), /has ended/);
  await box.press('Enter');
  const send = page.getByRole('button', { name: 'Send instead' });
  assert.ok(await send.isDisabled());
  const connections = session.attached.length;
  await page.getByRole('button', { name: 'Go on here' }).click();
  await untilText(page.locator('.edit .hint'), /Writing begins it anew/);
  assert.equal(session.attached.length, connections);
  await send.click();
  const sent = await session.next('user_message');
  assert.deepEqual([sent.content, typeof sent.replaces], ['Good day', 'string']);
});
