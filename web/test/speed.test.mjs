// A long answer must not make the page slower with each word.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

const SECTION =
  '## Section\n\nSome prose with **bold** words, `code` and a [link](https://example.org), over a line or two.\n\n' +
  '- one thing\n- another thing\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n' +
  '```rust\nfn main() {\n    println!("hello");\n}\n```\n\n';

test('5,000 tokens at full speed are drawn as the markdown they are', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Everything');
  const answer = session.startAnswer((await session.next('user_message')).id);
  await page.locator('.answer').waitFor();
  await page.evaluate(() => {
    globalThis.mutations = 0;
    new MutationObserver((records) => (globalThis.mutations += records.length)).observe(
      document.querySelector('.answer'), { childList: true, subtree: true, characterData: true });
  });
  const text = SECTION.repeat(100);
  answer.stream(text, Math.ceil(text.length / 5_000));
  answer.finish();
  await page.locator('.measures').waitFor({ timeout: 30_000 });
  const count = (selector) => page.locator(`.prose ${selector}`).count();
  assert.deepEqual(
    [await count('h2'), await count('table'), await count('figure'), await count('li')],
    [100, 100, 100, 200],
  );
  // Were the whole text drawn at each token, there would be hundreds of thousands.
  const mutations = await page.evaluate(() => globalThis.mutations);
  assert.ok(mutations < 20_000, `${mutations} changes of the page`);
});

test('text in pieces gives the same page as the text in one', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Twice');
  const { id } = await session.next('user_message');
  // Cut where it hurts: in a list, in code, before a definition; each piece is drawn by itself.
  const pieces = [
    [`${SECTION}1. one\n\n2`, '2'],
    ['. two\n\n```js\nlet here', 'let here'],
    [' = 1;\n```\n\nSee [this].\n\nMore', 'More'],
    ['.\n\n[this]: https://example.org/defined\n\nThe end.', 'The end.'],
  ];
  const text = pieces.map(([piece]) => piece).join('');
  const first = session.startAnswer(id);
  for (const [piece, shown] of pieces) {
    first.stream(piece, 3);
    await untilText(page.locator('.prose > :last-child'), new RegExp(`${shown}\\s*$`));
  }
  first.finish();
  const second = session.startAnswer(id);
  second.token(text);
  second.finish();
  await page.locator('.measures').nth(1).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('code[data-coloured]').length === 4);
  const [one, other] = await page.locator('.prose').evaluateAll((all) => all.map(({ innerHTML }) => innerHTML));
  assert.equal(one, other);
});
