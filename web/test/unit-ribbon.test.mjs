// How an answer spent its time, in segments.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { segmentsOf, totals } = await load('src/ribbon/segments.ts');

const END = Date.parse('2026-11-21T09:30:10.000Z');
const START = END - 1_000;
const time = (after) => new Date(START + after).toISOString();
const tool = (from, to, called = from) => ({
  kind: 'tool',
  tool: { at: time(called), outcome: { ok: true, durationMs: to - from, at: time(to) } },
});
const answer = (first_token_ms, ...parts) => ({ stored: { at: time(1_000), timing: { first_token_ms, total_ms: 1_000 } }, parts });
const outline = (given) => segmentsOf(given).map(({ activity, from, to }) => `${activity} ${from}-${to}`);

test('an answer waits until its first word', () => {
  assert.deepEqual(outline(answer(200)), ['waiting 0-200', 'words 200-1000']);
});

test('an answer without words is waiting and tools', () => {
  assert.deepEqual(outline(answer(null, tool(300, 400))), ['waiting 0-300', 'tool 300-400', 'waiting 400-1000']);
});

test('tools that run at once are one segment', () => {
  assert.deepEqual(outline(answer(100, tool(300, 500), tool(400, 600))), ['waiting 0-100', 'words 100-300', 'tool 300-600', 'words 600-1000']);
});

test('a tool waits from its call to its approval', () => {
  assert.deepEqual(outline(answer(100, tool(800, 900, 300))), [
    'waiting 0-100', 'words 100-300', 'waiting 300-800', 'tool 800-900', 'words 900-1000',
  ]);
});

test('what lies outside the answer is cut off, and the segments leave no gap', () => {
  const given = answer(5_000, tool(-500, 100), tool(900, 4_000));
  assert.deepEqual(outline(given), ['tool 0-100', 'waiting 100-900', 'tool 900-1000']);
  assert.deepEqual(totals(segmentsOf(given)), { waiting: 800, words: 0, tool: 200 });
});

test('there are none for an answer that runs, took no time, or holds times that are none', () => {
  assert.deepEqual(outline({ stored: null, parts: [] }), []);
  assert.deepEqual(outline({ stored: { at: time(0), timing: { first_token_ms: null, total_ms: 0 } }, parts: [] }), []);
  assert.deepEqual(outline({ stored: { at: 'x', timing: { first_token_ms: 1, total_ms: 9 } }, parts: [] }), []);
  const unknown = { kind: 'tool', tool: { at: undefined, outcome: { durationMs: 9, at: undefined } } };
  assert.deepEqual(outline(answer(200, unknown)), ['waiting 0-200', 'words 200-1000']);
});
