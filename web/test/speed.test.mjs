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

// Cut where it hurts; each piece is drawn by itself, and ends with the words that are waited for.
const IN_PIECES = {
  'in lists and code': [
    [`${SECTION}1. one\n2. more\n3. \`\`\`js\n   const\n   \`\`\`\n\n4`, '4'],
    ['. two\n5. three\n\n```js\nlet here', 'let here'],
    [' = 1;\n```\n\n- x\n- y\n- z', 'z'],
    ['\n- [ ] loose\n\n- now', 'now'],
    ['\n- end\n\nThe end.', 'The end.'],
  ],
  'in tables': [
    ['| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5', '5'],
    [' | 6 |\n| 7 | 8 |\n\nMore', 'More'],
    ['.\n\n| a |\n|---|\n| 1 |\n| 2 |\n| 3', '3'],
  ],
  'before a definition': [
    ['```js\nlet here = 1;\n```\n\nSee [this].\n\nMore', 'More'],
    ['.\n\n[this]: https://example.org/defined\n\nThe end.', 'The end.'],
  ],
};

for (const [where, pieces] of Object.entries(IN_PIECES)) {
  test(`text in pieces gives the same page as the text in one: ${where}`, async () => {
    const { page, session } = await suite.open();
    await say(page, 'Twice');
    const { id } = await session.next('user_message');
    const first = session.startAnswer(id);
    for (const [piece, shown] of pieces) {
      first.stream(piece, 3);
      await untilText(page.locator('.prose > :last-child'), new RegExp(`${shown}\\s*$`));
    }
    first.finish();
    const second = session.startAnswer(id);
    second.token(pieces.map(([piece]) => piece).join(''));
    second.finish();
    await page.locator('.measures').nth(1).waitFor();
    await page.waitForFunction(() => document.querySelector('code[data-language]:not([data-language=""], [data-coloured])') === null);
    const [one, other] = await page.locator('.prose').evaluateAll((all) => all.map(({ innerHTML }) => innerHTML));
    assert.equal(one, other);
  });
}

test('items and rows that are finished stay the elements they are, while more come', async () => {
  const { page, session } = await suite.open();
  await say(page, 'A list and a table');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const part = (tag) => page.locator(`.prose ${tag}`);
  const grow = async (tag, first, more) => {
    answer.token(first);
    await part(tag).first().evaluate((element) => (element.isKept = true));
    for (const piece of more) answer.token(piece);
    await untilText(part(tag).last(), /last/);
    assert.ok(await part(tag).first().evaluate((element) => element.isKept), `the first ${tag} was drawn anew`);
  };
  await grow('li', '- one\n- two\n', ['- three', '\n- fo', 'ur\n- last']);
  await grow('tbody tr', '\n\n| a |\n|---|\n| 1 |\n| 2 |\n', ['| 3', ' |\n| 4', ' |\n| last']);
});
