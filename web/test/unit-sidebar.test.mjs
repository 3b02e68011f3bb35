// The words of the list of sessions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { isEmpty, tagsOf, titleFrom, titleOf } = await load('src/sidebar/words.ts');
const { byDay } = await load('src/sidebar/days.ts');

test('a title is the given one, the first sentence of the summary, or none', () => {
  const title = (metadata, summary = null) => titleOf({ metadata, summary });
  assert.equal(title({ title: ' Given ' }, 'A summary.'), 'Given');
  assert.equal(title({ title: 7 }, 'It cost 1.5 euros. Then more.'), 'It cost 1.5 euros.');
  assert.equal(title({ title: ' ' }, 'No end'), 'No end');
  assert.equal(title({}), 'Untitled');
});

test('a long message is cut between words, and never within a character', () => {
  assert.equal(titleFrom(' One\n line '), 'One line');
  const cut = titleFrom('word '.repeat(30));
  assert.ok(cut.endsWith('word…') && cut.length <= 60);
  assert.equal([...titleFrom('😀'.repeat(80))].length, 60);
  assert.ok(titleFrom('😀'.repeat(80)).isWellFormed());
});

test('tags are texts, each once, whatever stands in the metadata', () => {
  assert.deepEqual(tagsOf({ metadata: { tags: ['a', ' a ', 7, null, '', 'b'] } }), ['a', 'b']);
  assert.deepEqual(tagsOf({ metadata: { tags: 'a' } }), []);
});

test('a session in which nobody spoke is empty', () => {
  assert.equal(isEmpty({ last_seq: 1, metrics: null }), true);
  assert.equal(isEmpty({ last_seq: 2, metrics: { user_messages: 0 } }), true);
  assert.equal(isEmpty({ last_seq: 2, metrics: null }), false);
});

test('days are those of the clock here, in order', () => {
  const now = new Date(2026, 0, 1, 0, 30);
  const at = (...parts) => ({ start_time: new Date(...parts).toISOString() });
  const days = byDay([at(2026, 0, 1, 0, 5), at(2025, 11, 31, 23, 59), at(2025, 11, 31, 1), at(2025, 11, 30)], now);
  assert.deepEqual(days.map(({ label }) => label), ['Today', 'Yesterday', 'December 30, 2025']);
  assert.equal(days[1].sessions.length, 2);
});
