// Cutting markdown into finished blocks while it arrives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { MarkdownBlocks, renderWhole } = await load('src/markdown/blocks.ts');

const PIECES = [
  'A paragraph with *emphasis*, `code` and a [link](https://example.org).\nIts second line.',
  'Setext heading\n===',
  '## A heading',
  '- one\n- two\n  - nested\n\n    its paragraph\n- three',
  '- loose\n\n- list\n\n\n- of items',
  '* other bullets',
  '1. first\n2. second\n\n   with a paragraph\n10. tenth',
  '1. loose\n\n2. numbered\n\n3. list',
  '> a quote\nthat goes on lazily\n> - with a list',
  '```rust\nfn main() {\n\n    println!("# not a heading");\n}\n```',
  '~~~\nfence of tildes\n```\n~~~',
  '    indented code\n\n    goes on',
  '| a | b |\n|:--|--:|\n| 1 | 2 |\n| 3 | 4 |',
  'Not a table | yet\nbut a paragraph',
  '<div onclick="x">\n\nraw html\n\n</div>',
  '<!-- a comment\n\nover blocks -->',
  '---',
  '![picture](https://example.org/x.png)',
  'Line one  \nline two\\\nline three',
  '- [ ] to do\n- [x] done',
  'Ends with a tick ` and *stars* ** and 🌍 é',
];

/** A small generator of numbers from 0 to 1, the same in each run. */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const NOTHING = { html: '', behind: '', start: 0 };

/** Does what a page does with a step: `behind` stands behind the list or table that goes on, which starts at `start`. */
function draw({ html, behind, start }, step) {
  if (step.kind === 'void') return { html: html.slice(0, start), behind: '', start };
  if (step.kind === 'parts' && !step.first) return { html: html + step.html, behind, start };
  const before = html + behind;
  return { html: before + (step.before ?? '') + step.html, behind: step.behind ?? '', start: before.length };
}

/** Renders a text that comes in pieces. `look` is shown what there is after each. */
function renderInPieces(source, nextLength, look = () => {}) {
  const blocks = new MarkdownBlocks();
  let drawn = NOTHING;
  let all = drawn;
  for (let at = 0; at < source.length; ) {
    const length = nextLength();
    const { finished, tail } = blocks.append(source.slice(at, at + length));
    drawn = finished.reduce(draw, drawn);
    all = tail.reduce(draw, drawn);
    at += length;
    look(source.slice(0, at), all.html + all.behind);
  }
  return all.html + all.behind;
}

test('however a text is cut, its HTML is that of the whole', () => {
  const next = random(7);
  for (let round = 0; round < 300; round += 1) {
    const chosen = Array.from({ length: 1 + Math.floor(next() * 6) }, () => PIECES[Math.floor(next() * PIECES.length)]);
    const source = chosen.join(next() < 0.2 ? '\n' : '\n\n');
    const longest = 1 + Math.floor(next() * 12);
    const html = renderInPieces(source, () => 1 + Math.floor(next() * longest));
    assert.equal(html, renderWhole(source), `round ${round}: ${JSON.stringify(source)}`);
  }
});

const LINES = [
  '- one', '- two', '-', '- ', ' - three', '  - inside', '   - deeper', '    - and deeper', '* star', '+ plus', '- [ ] to do',
  '- [x] done', '-     code', '- ```', '- > quote', '- # heading', '- a | b', '1. first', '2. second', '3) other', '   of it', '  of it', '\tof it',
  '', '', '', ' ', 'lazy', '---', '===', '- - -', '```', '> quote', '# heading', '<div>', '<!--', '-->',
  '| a | b |', '|---|:-:|', '| 1 | **2** | 3 |', '| 1', 'a | b', '--|--', ' | x',
];

test('lists and tables of any lines are at any time what they are as a whole', () => {
  const next = random(11);
  for (let round = 0; round < 800; round += 1) {
    const lines = Array.from({ length: 2 + Math.floor(next() * 12) }, () => LINES[Math.floor(next() * LINES.length)]);
    const longest = 1 + Math.floor(next() * 12);
    const source = lines.join(next() < 0.2 ? '\r\n' : '\n');
    renderInPieces(source, () => 1 + Math.floor(next() * longest), (soFar, html) =>
      assert.equal(html, renderWhole(soFar), `round ${round}: ${JSON.stringify(soFar)}`),
    );
  }
});

test('what is finished is handed out once, and early', () => {
  const blocks = new MarkdownBlocks();
  const handedOut = (text) => Array.from(text).flatMap((character) => blocks.append(character).finished);
  assert.deepEqual(handedOut('One.\n\nTwo.\n\nThree.'), [{ kind: 'blocks', html: '<p>One.</p>\n' }]);
  assert.deepEqual(handedOut('\n'), [{ kind: 'blocks', html: '<p>Two.</p>\n' }]);
  handedOut('\n- a\n');
  const list = { kind: 'parts', before: '<ul>\n', behind: '</ul>\n' };
  assert.deepEqual(handedOut('- b\n- c\n'), [
    { ...list, first: true, html: '<li>a</li>\n' },
    { ...list, first: false, html: '<li>b</li>\n' },
  ]);
  // With a blank line in between, the items are others.
  assert.deepEqual(handedOut('\n- d\n'), [
    { kind: 'void' },
    { ...list, first: true, html: '<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n<li><p>c</p>\n</li>\n' },
  ]);
});

test('an open code block is told apart, so that it can grow in place', () => {
  const blocks = new MarkdownBlocks();
  assert.equal(blocks.append('```ru').openCode, undefined, 'the name of its language is not complete');
  assert.equal(blocks.append('st\nlet a').openCode, 'let a');
  assert.equal(blocks.append(' = 1;').openCode, 'let a = 1;');
});

test('raw HTML is shown, and images are text', () => {
  assert.match(renderWhole('<img src=x onerror=alert(1)>'), /^&#60;img src=x/);
  assert.equal(renderWhole('![a <b>](https://example.org)'), '<p><span class="image">a &#60;b&#62;</span></p>\n');
});

test('link definitions are noticed, since they reach back', () => {
  const blocks = new MarkdownBlocks();
  blocks.append('See [this].\n\nMore.\n\n');
  assert.equal(blocks.hasDefinitions, false);
  blocks.append('[this]: https://example.org');
  assert.equal(blocks.hasDefinitions, true);
});

const LONG = {
  paragraphs: 'A paragraph.\n\n',
  items: '- An item\n',
  'items apart': '- An item\n\n',
  'numbered items': '1. An item\n   - with one inside\n',
  rows: '| a | b |\n',
};
for (const [name, part] of Object.entries(LONG)) {
  test(`a long answer costs about as much per piece as a short one: ${name}`, () => {
    const lengthAfter = (parts) => {
      const blocks = new MarkdownBlocks();
      blocks.append(`${name === 'rows' ? '| a | b |\n|---|---|\n' : ''}${part.repeat(parts)}`);
      return blocks.append('And').tail.reduce((length, { html }) => length + html.length, 0);
    };
    assert.equal(lengthAfter(1_000), lengthAfter(10));
  });
}
