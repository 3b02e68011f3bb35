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

function renderInPieces(source, nextLength) {
  const blocks = new MarkdownBlocks();
  let html = '';
  let tail = '';
  for (let at = 0; at < source.length; ) {
    const length = nextLength();
    const progress = blocks.append(source.slice(at, at + length));
    html += progress.finished;
    tail = progress.tail;
    at += length;
  }
  return html + tail;
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

test('a finished block is handed out once, and early', () => {
  const blocks = new MarkdownBlocks();
  const finished = Array.from('One.\n\nTwo.\n\nThree.', (character) => blocks.append(character).finished).filter(Boolean);
  assert.deepEqual(finished, ['<p>One.</p>\n']);
  assert.equal(blocks.append('\n').finished, '<p>Two.</p>\n');
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

test('a long answer costs about as much per piece as a short one', () => {
  const lengthAfter = (paragraphs) => {
    const blocks = new MarkdownBlocks();
    blocks.append('A paragraph.\n\n'.repeat(paragraphs));
    return blocks.append('And').tail.length;
  };
  assert.equal(lengthAfter(1_000), lengthAfter(10));
});
