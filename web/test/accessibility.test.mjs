// The page for those who see it otherwise, or use no mouse.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

const ANSWER = [
  '## A heading\n\nSome **text** with `code` and [a link](https://example.org).\n\n',
  '```rust\n// A comment\nfn main() { let text: &str = "words"; println!("{}", 1 + 2); }\n```\n\n',
  '| item | amount |\n|---|--:|\n| apples | 3 |\n\n- one\n- two\n\n> a quote\n',
].join('');

const THEMES = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'a phone': { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

for (const [name, options] of Object.entries(THEMES)) {
  test(`axe finds nothing wrong: ${name}`, async () => {
    const { page, session } = await suite.open({ ...options, bypassCSP: true });
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    await untilText(page.locator('.connection'), 'Connected');
    assert.deepEqual(await violations(page), [], 'when empty');

    session.live({ type: 'notice', code: 'demo_model', message: 'Answers come from the offline demo.' });
    await say(page, 'Tell me all');
    const answer = session.startAnswer((await session.next('user_message')).id);
    answer.succeed(answer.call('calculator', { expression: '1+2' }), { result: '3' });
    answer.fail(answer.call('data_fetcher', { query: 'Lisbon' }), { code: 'timeout', message: 'took too long' });
    answer.call('order', { amount: 10 }, true);
    answer.stream(ANSWER);
    await page.locator('.prose table').waitFor();
    assert.deepEqual(await violations(page), [], 'while streaming');

    answer.finish('length');
    await page.locator('code[data-coloured]').waitFor();
    session.away = true;
    session.cut();
    await page.locator('[data-strip=connection]').waitFor();
    assert.deepEqual(await violations(page), [], 'while disconnected');

    session.away = false;
    await page.locator('[data-strip=connection]').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'End session' }).click();
    await page.getByRole('button', { name: 'New conversation' }).waitFor();
    assert.deepEqual(await violations(page), [], 'when ended');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, 'the page does not scroll sideways');
  });
}

test('a conversation can be had with the keyboard alone', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await page.keyboard.type('Two');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('lines');
  await page.keyboard.press('Enter');
  const message = await session.next('user_message');
  assert.equal(message.content, 'Two\nlines');
  const answer = session.startAnswer(message.id);
  answer.succeed(answer.call('calculator', { expression: '1+2' }), { result: '3' });
  answer.stream('A long answer');
  await untilText(page.locator('.answer .prose'), /A long answer/);
  await page.keyboard.press('Escape');
  await session.next('cancel');
  await untilText(page.locator('.answer .note'), 'Stopped.');

  const focused = () => page.evaluate(() => document.activeElement?.tagName);
  assert.equal(await focused(), 'TEXTAREA');
  const summary = page.locator('.tool summary');
  for (let step = 0; step < 20 && (await focused()) !== 'SUMMARY'; step += 1) await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.locator('.tool dl').waitFor();
  assert.equal(await summary.evaluate((element) => element === document.activeElement), true);
});

test('Enter belongs to the input method while a word is composed', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await page.getByRole('textbox').fill('にほん');
  await page.getByRole('textbox').dispatchEvent('keydown', { key: 'Enter', isComposing: true });
  // Safari says that it is over before it tells of the key.
  await page.getByRole('textbox').dispatchEvent('keydown', { key: 'Enter', keyCode: 229 });
  assert.equal(await page.getByRole('textbox').inputValue(), 'にほん');
  await page.keyboard.press('Enter');
  assert.equal((await session.next('user_message')).content, 'にほん');
});

test('a screen reader is told the turns of an answer, not each word', async () => {
  const { page, session } = await suite.open();
  const status = page.getByRole('status');
  assert.equal(await page.getByRole('log').getAttribute('aria-live'), 'off');
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  await untilText(status, 'Answer started');
  const call = answer.call('calculator', {});
  await untilText(status, 'Tool calculator called');
  answer.succeed(call, 1);
  answer.stream('Three words here');
  answer.finish();
  await untilText(status, 'Answer complete');
});
