// The inspector's record, its window and its lines, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { EventRecord, LONGEST_RUN, MOST_EVENTS, MOST_ROWS } = await load('src/inspector/record.ts');
const { MOST_SHOWN, STEP, stepped, windowOf } = await load('src/inspector/filters.ts');
const { brief, offset, toJsonLines } = await load('src/inspector/timeline.ts');
const { measure } = await load('src/inspector/measure.ts');

const token = (index, response_id = 'r1', content = `${index} `) => ({ type: 'token', response_id, index, content });
const notice = (message) => ({ type: 'notice', code: 'draining', message });
const stored = (timing, usage) => ({
  type: 'ai_response', seq: 3, at: '2026-11-21T09:30:02.000Z', response_id: 'r1', finish_reason: 'stop', content: 'x', timing, usage,
});

/** A record of these events, ten milliseconds apart. */
function recorded(...events) {
  const record = new EventRecord();
  events.forEach((event, index) => record.add(event, 1_000 + 10 * index));
  return record;
}

test('tokens that follow on each other share a row, which tells their number, time and text', () => {
  const { rows } = recorded(notice('a'), token(0), token(1), token(2), notice('b'), token(3));
  assert.deepEqual(rows.map((row) => row.type), ['notice', 'token', 'notice', 'token']);
  assert.equal(rows[1].text, '0 1 2 ');
  assert.equal(brief(rows[1]), '3 tokens in 20 ms · 0 1 2');
  assert.equal(brief(rows[3]), '1 token in 0 ms · 3');
});

test('tokens of two answers do not share a row, nor do words and thoughts', () => {
  const thought = { type: 'reasoning', response_id: 'r2', content: 'hm' };
  const { rows } = recorded(token(0), token(0, 'r2'), thought, thought);
  assert.deepEqual(rows.map((row) => row.events.length), [1, 1, 2]);
  assert.match(brief(rows[2]), /^2 pieces in/);
});

test('the record is bounded in rows and in events, and forgets the oldest', () => {
  const record = new EventRecord();
  for (let index = 0; index < MOST_ROWS + 5; index += 1) record.add(notice(String(index)), index);
  assert.equal(record.rows.length, MOST_ROWS);
  assert.equal(record.rows[0].events[0].message, '5');
  assert.equal(record.start, 0, 'the times of the rows stay what they were');
  for (let index = 0; index < 2 * MOST_EVENTS; index += 1) record.add(token(index), index);
  const events = record.rows.reduce((sum, row) => sum + row.events.length, 0);
  assert.ok(events <= MOST_EVENTS, `${events} events`);
  assert.ok(record.rows.every((row) => row.events.length <= LONGEST_RUN));
});

test('who watches is told of every event until that is ended', () => {
  const record = new EventRecord();
  let told = 0;
  const end = record.watch(() => (told += 1));
  record.add(notice('a'), 1);
  end();
  record.add(notice('b'), 2);
  assert.equal(told, 1);
});

test('an event of a type that nobody knows has a row', () => {
  const { rows } = recorded({ type: 'tomorrow', what: 1 });
  assert.equal(rows[0].kind, 'other');
  assert.equal(brief(rows[0]), '');
});

test('the gist is one short line, whatever the event holds', () => {
  const call = { type: 'tool_call', response_id: 'r1', call_id: 'c', name: 'a\n\tb', arguments: { long: 'x'.repeat(9_999) } };
  const [row] = recorded(call).rows;
  assert.match(brief(row), /^a b \{"long":"x+…$/);
  assert.ok(brief(row).length < 200);
});

test('the time of a row is that since the first', () => {
  const record = new EventRecord();
  record.add(notice('a'), 5_000);
  record.add(notice('b'), 5_213.4);
  record.add(notice('c'), 67_040);
  assert.deepEqual(record.rows.map((row) => offset(row, 5_000)), ['+0.000', '+0.213', '+1:02.040']);
});

test('JSONL has a line for each event, with the time at which it came', () => {
  const { rows } = recorded(notice('two\nlines'), token(0), token(1));
  const lines = toJsonLines(rows).split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ event }) => event.type), ['notice', 'token', 'token']);
  assert.equal(lines[0].event.message, 'two\nlines');
  assert.equal(lines[2].received_at, '1970-01-01T00:00:01.020Z');
});

test('the window is small, goes in steps, and follows the newest again at the end', () => {
  const rows = Array.from({ length: 500 }, (_, index) => ({ id: index + 1 }));
  const live = windowOf(rows, null);
  assert.deepEqual([live.rows.length, live.before, live.after], [MOST_SHOWN, 300, 0]);
  const end = stepped(rows, live, -1);
  assert.equal(end, 500 - STEP);
  const above = windowOf(rows, end);
  assert.deepEqual([above.rows.at(-1).id, above.after], [400, 100]);
  assert.equal(stepped(rows, above, 1), null);
  assert.equal(stepped(rows, windowOf(rows, 210), -1), MOST_SHOWN, 'no further than the beginning');
  assert.equal(windowOf(rows.slice(400), 10).rows[0].id, 401, 'what was forgotten is not waited for');
});

test('the numbers of a running answer are those of its pieces here', () => {
  const started = { type: 'response_started', response_id: 'r1', message_id: 'm', model: 'm', provider: 'p' };
  const { rows } = recorded(token(0, 'r0'), started, token(0), token(1), token(2));
  assert.deepEqual(measure(rows), { firstTokenMs: 10, tokensPerSecond: 100, tokens: 3, totalMs: null, running: true });
  assert.equal(measure(recorded(notice('a')).rows), null);
});

test('what another provider began afresh is counted afresh', () => {
  const started = { type: 'response_started', response_id: 'r1', message_id: 'm', model: 'm', provider: 'p' };
  const afresh = { type: 'response_snapshot', response_id: 'r1', message_id: 'm', index: -1, content: '', parts: [] };
  const taken = recorded(started, token(0), token(1), afresh, token(0), token(1)).rows;
  assert.deepEqual(measure(taken), { firstTokenMs: 10, tokensPerSecond: 100, tokens: 2, totalMs: null, running: true });
  const joined = recorded({ ...afresh, index: 40 }, token(41), token(42)).rows;
  assert.deepEqual(measure(joined), { firstTokenMs: null, tokensPerSecond: 100, tokens: 43, totalMs: null, running: true });
});

test('the numbers of a stored answer are the server’s, and what it does not know stays unknown', () => {
  const known = recorded(stored({ first_token_ms: 200, total_ms: 1_200 }, { output_tokens: 50 })).rows;
  assert.deepEqual(measure(known), { firstTokenMs: 200, tokensPerSecond: 50, tokens: 50, totalMs: 1_200, running: false });
  const unknown = recorded(token(0), stored({ first_token_ms: null, total_ms: 10 }, { output_tokens: null })).rows;
  assert.deepEqual(measure(unknown), { firstTokenMs: null, tokensPerSecond: null, tokens: null, totalMs: 10, running: false });
});
