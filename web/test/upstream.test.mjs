// The page, the real server, and a model that the test plays.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { say } from './support/browser.mjs';
import { untilText } from './support/page-suite.mjs';
import { serverSuite } from './support/server-suite.mjs';
import { startUpstream } from './support/upstream.mjs';

let upstream, page;
const suite = serverSuite(async () => {
  upstream = await startUpstream();
  return { ...upstream.settings, PATTER_TOOL__CALCULATOR__APPROVAL: 'always' };
});
after(() => upstream?.close());

const answers = () => page.locator('.column > .answer');

test('words are shown as the model says them', async () => {
  page = await suite.open();
  await say(page, 'Hello');
  const asked = await upstream.asked();
  asked.text('The first ');
  await untilText(answers().locator('.prose'), /The first/);
  asked.text('**and last** words.');
  asked.finish();
  await untilText(answers().locator('.prose'), /The first and last words\./);
  await page.locator('.measures').waitFor();
});

test('a call runs when it was approved, and its result goes to the model', async () => {
  page = await suite.open();
  await say(page, 'What is 6 times 7?');
  (await upstream.asked()).call('calculator', { expression: '6*7' });
  await page.getByRole('button', { name: 'Let it run' }).click();
  await page.locator('.tool[data-state=done]').waitFor();
  const asked = await upstream.asked();
  assert.match(asked.body.messages.at(-1).content, /42/);
  asked.text('It is 42.');
  asked.finish();
  await untilText(answers().locator('.prose'), /It is 42/);
});

test('a call that was refused does not run, and the model hears of it', async () => {
  page = await suite.open();
  await say(page, 'What is 6 times 7?');
  (await upstream.asked()).call('calculator', { expression: '6*7' });
  await page.getByRole('button', { name: 'Refuse' }).click();
  await page.locator('.tool[data-state=failed]').waitFor();
  const asked = await upstream.asked();
  assert.doesNotMatch(asked.body.messages.at(-1).content, /42/);
  asked.text('Then not.');
  asked.finish();
  await untilText(answers().locator('.prose'), /Then not/);
});

test('that a provider fails is said, and the next message is answered', async () => {
  page = await suite.open();
  await say(page, 'Hello');
  (await upstream.asked()).fail(500, 'out of order');
  await untilText(answers().locator('.note').first(), /No full answer/);
  await say(page, 'Again');
  const asked = await upstream.asked();
  asked.text('Here I am.');
  asked.finish();
  await untilText(answers().nth(1).locator('.prose'), /Here I am/);
});

test('an answer that breaks off keeps its words and is not taken for whole', async () => {
  page = await suite.open();
  await say(page, 'Hello');
  const asked = await upstream.asked();
  asked.text('Half of ');
  await untilText(answers().locator('.prose'), /Half of/);
  asked.breakOff();
  await untilText(answers().locator('.note').first(), /No full answer/);
  assert.match(await answers().locator('.prose').innerText(), /Half of/);
});

test('an edit and another answer reach the model with what they are about', async () => {
  page = await suite.open();
  await say(page, 'Frist');
  const first = await upstream.asked();
  first.text('Pardon?');
  first.finish();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'The message as it should be' }).fill('First');
  await page.keyboard.press('Enter');
  const second = await upstream.asked();
  const said = second.body.messages.filter(({ role }) => role === 'user').map(({ content }) => content);
  assert.deepEqual(said, ['First']);
  second.text('One.');
  second.finish();
  await page.getByRole('button', { name: 'Answer again' }).click();
  const third = await upstream.asked();
  third.text('Uno.');
  third.finish();
  await untilText(answers().locator('.prose').last(), /Uno/);
});
