// Buckets without gaps, groups, and costs that are not known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { costOf, emptyRow, figuresOf, filled, isEmpty, startOf } = await load('src/analytics/figures.ts');
const { cost, groupName } = await load('src/analytics/words.ts');

const FROM = '2026-11-20T10:30:00.000Z';
const TO = '2026-11-22T09:30:00.000Z';
const row = (start, fields) => ({ ...emptyRow(start), ...fields });
const answer = (...rows) => ({ from: FROM, to: TO, rows });
const starts = (rows) => rows.map(({ start }) => start.slice(0, 16));

test('a bucket in which nothing happened has a row of nothing', () => {
  const told = row('2026-11-21T00:00:00.000Z', { answers: 3, first_token_p50_ms: 200 });
  const rows = filled([told], FROM, TO, 'day');
  assert.deepEqual(starts(rows), ['2026-11-20T00:00', '2026-11-21T00:00', '2026-11-22T00:00']);
  assert.deepEqual(rows.map(({ answers }) => answers), [0, 3, 0]);
  assert.deepEqual(rows.map((of) => of.first_token_p50_ms), [null, 200, null], 'a time that was not measured is no zero');
});

test('hours that the range touches count whole', () => {
  assert.deepEqual(starts(filled([], '2026-11-22T07:30:00Z', '2026-11-22T09:30:00Z', 'hour')), [
    '2026-11-22T07:00', '2026-11-22T08:00', '2026-11-22T09:00',
  ]);
  assert.equal(filled([], '2026-11-22T07:00:00Z', '2026-11-22T09:00:00Z', 'hour').length, 2, 'the end is not in it');
});

test('weeks begin with Monday', () => {
  assert.equal(new Date(startOf(Date.parse('2026-11-22T23:59:59Z'), 'week')).toISOString(), '2026-11-16T00:00:00.000Z');
  assert.equal(new Date(startOf(Date.parse('2026-11-23T00:00:00Z'), 'week')).toISOString(), '2026-11-23T00:00:00.000Z');
});

test('a row of the server is kept wherever it stands', () => {
  assert.deepEqual(starts(filled([row('2026-01-01T00:00:00.000Z')], FROM, TO, 'day')).slice(0, 1), ['2026-01-01T00:00']);
});

test('groups have the rows of their own, and the busiest is first', () => {
  const of = (model, answers) => ({ provider: 'p', model, answers });
  const day = '2026-11-21T00:00:00.000Z';
  const figures = figuresOf({
    total: answer(row(FROM, { answers: 5, total_p50_ms: 7 })),
    rows: answer(row(day, { answers: 5 })),
    groupTotals: answer(row(FROM, of('a', 1)), row(FROM, of('b', 4)), row(FROM, { user_messages: 1 })),
    groupRows: answer(row(day, of('a', 1)), row(day, of('b', 4))),
  }, 'day');
  assert.deepEqual(figures.groups.map(({ total }) => groupName(total)), ['p / b', 'p / a']);
  assert.deepEqual(figures.groups.map(({ rows }) => rows.map(({ answers }) => answers)), [[0, 4, 0], [0, 1, 0]]);
  assert.equal(figures.total.total_p50_ms, 7);
  assert.equal(isEmpty(figures), false);
});

test('without rows there is nothing', () => {
  const none = figuresOf({ total: answer(), rows: answer(), groupTotals: answer(), groupRows: answer() }, 'day');
  assert.equal(isEmpty(none), true);
  assert.equal(none.rows.length, 3);
});

test('a cost that is not known is never a zero', () => {
  const unknown = row(FROM, { answers: 2, cost_unknown: 2, cost_usd: null });
  assert.equal(costOf(unknown), null);
  assert.equal(cost(unknown), 'not known');
  assert.equal(cost(row(FROM, { answers: 2, cost_unknown: 1, cost_usd: 0.25 })), 'at least $0.25');
  assert.equal(cost(row(FROM, { answers: 2, cost_usd: 0.00123 })), '$0.00123');
  assert.equal(costOf(row(FROM)), 0, 'nothing was asked, and nothing paid');
});
