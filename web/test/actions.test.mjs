// What can be done with a message or an answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

/** A page with one question and its answer. */
async function answered(options) {
  const { page, session } = await suite.open(options);
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'First question');
  const message = await session.next('user_message');
  const answer = session.startAnswer(message.id);
  answer.stream('A **bold** answer.\n\nOf two lines.');
  answer.finish();
  await page.getByRole('button', { name: 'Answer again' }).waitFor();
  return { page, session, message, answer };
}

test('the last message can be answered again, and the earlier answer stays to be read', async () => {
  const { page, session, message, answer } = await answered();
  await page.getByRole('button', { name: 'Answer again' }).click();
  await session.next('regenerate');
  const second = session.startAnswer(message.id, { supersedes: answer.id });
  second.stream('Another answer.');
  second.finish();
  await untilText(page.locator('.column > .answer .prose'), /Another answer/);
  await page.locator('details.earlier summary').click();
  await untilText(page.locator('details.earlier .prose'), /Of two lines/);
});

test('an edited message takes the place of the last one', async () => {
  const { page, session, message } = await answered();
  await page.getByRole('button', { name: 'Edit' }).click();
  const box = page.getByRole('textbox', { name: 'The message as it should be' });
  await box.fill('Better question');
  await page.keyboard.press('Enter');
  const edited = await session.next('user_message');
  assert.equal(edited.content, 'Better question');
  assert.equal(edited.replaces, message.id);
});

test('a message that is written anew waits while another view is looked at, and says why it cannot be sent', async () => {
  const { page, session } = await answered();
  await page.getByRole('button', { name: 'Edit' }).click();
  const box = page.getByRole('textbox', { name: 'The message as it should be' });
  await box.fill('ä'.repeat(16_385));
  await untilText(page.locator('.edit .hint'), 'Too long: 32,770 of 32,768 bytes.');
  await untilText(page.getByRole('status'), 'Too long: 32,770 of 32,768 bytes.');
  await page.keyboard.press('Enter');
  await box.fill('Better question');
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.locator('.welcome').waitFor();
  await page.goBack();
  await box.waitFor();
  assert.equal(await box.inputValue(), 'Better question');
  session.store('user_message', { id: 'of another tab', content: 'Hello', metadata: {}, replaces: null });
  await untilText(page.locator('.edit .hint'), /can no longer be replaced/);
  await box.press('Enter');
  await page.getByRole('button', { name: 'Send as a new message' }).click();
  const sent = await session.next('user_message');
  assert.deepEqual([sent.content, sent.replaces], ['Better question', undefined]);
  assert.equal(await page.locator('.edit').count(), 0);
});

test('a refused message is written anew or discarded', async () => {
  const { page, session } = await suite.open({ bypassCSP: true });
  await untilText(page.locator('.connection'), 'Connected');
  session.silent = true;
  for (const text of ['One', 'Two']) {
    await say(page, text);
    const { id } = await session.next('user_message');
    session.silent = false;
    session.live({ type: 'error', code: 'busy', message: 'too many wait', retryable: true, message_id: id });
    session.silent = true;
  }
  await page.locator('.said[data-delivery=refused]').nth(1).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Discard' }).first().click();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'The message as it should be' }).fill('Three');
  session.silent = false;
  await page.keyboard.press('Enter');
  assert.equal((await session.next('user_message')).content, 'Three');
  await page.locator('.said[data-delivery=stored]').waitFor();
  assert.deepEqual(await page.locator('.bubble').allInnerTexts(), ['Three']);
});

test('Esc leaves a message as it was, and does not stop an answer', async () => {
  const { page, session, message } = await answered();
  session.startAnswer(message.id, {}).token('More');
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'The message as it should be' }).fill('Something else');
  await page.keyboard.press('Escape');
  await untilText(page.locator('.bubble'), 'First question');
  assert.equal(session.received.some(({ type }) => type === 'cancel'), false);
});

test('an answer is quoted in front of the draft', async () => {
  const { page } = await answered();
  await page.getByRole('textbox').fill('What about this?');
  await page.locator('.answer').getByRole('button', { name: 'Quote' }).click();
  const draft = await page.getByRole('textbox').inputValue();
  assert.equal(draft, '> A **bold** answer.\n>\n> Of two lines.\n\nWhat about this?');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'message');
});

test('an answer is copied as markdown', async () => {
  const { page } = await answered({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.locator('.answer').getByRole('button', { name: 'Copy' }).click();
  await untilText(page.locator('.answer .actions button').last(), 'Copied');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, 'A **bold** answer.\n\nOf two lines.');
});

test('a draft outlives a reload', async () => {
  const { page } = await answered();
  await page.getByRole('textbox').fill('Not finished');
  await page.reload();
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await page.getByRole('textbox').inputValue(), 'Not finished');
});

test('how far a tool is stands in its card', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Go');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const call = answer.call('reader', { pages: 10 });
  session.live({ type: 'tool_progress', ...call, done: 3, total: 10 });
  await untilText(page.locator('.tool .time'), '3 of 10');
  session.live({ type: 'tool_progress', ...call, done: 4, message: 'page four' });
  await untilText(page.locator('.tool .time'), 'page four');
});

test('a call is refused', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Order it');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const call = answer.call('order', { amount: 10 }, true);
  await page.getByRole('button', { name: 'Refuse' }).click();
  const decided = await session.next('tool_approval');
  assert.deepEqual([decided.call_id, decided.approve], [call.call_id, false]);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong with the actions: ${colorScheme}`, async () => {
    const { page } = await answered({ colorScheme, bypassCSP: true });
    await page.getByRole('button', { name: 'Edit' }).click();
    assert.deepEqual(await violations(page), []);
  });
}
