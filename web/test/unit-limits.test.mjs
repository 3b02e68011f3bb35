// Limits in plain words: what was reached, and when it goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { dated, explain, momentWords } = await load('src/limits.ts');
const error = (code, details, message = 'as the server says') => ({ type: 'error', code, message, retryable: true, details });

test('how long to wait becomes a moment, which a reload does not move', () => {
  const now = Date.parse('2026-11-21T09:30:00Z');
  const kept = dated(error('rate_limited', { limit: 'messages', retry_after_ms: 1_500 }), now);
  assert.equal(kept.details.resets_at, '2026-11-21T09:30:01.500Z');
  for (const other of [error('rate_limited'), error('limit_reached', { retry_after_ms: 5 }), { type: 'pong' }]) {
    assert.equal(dated(other, now), other);
  }
});

test('a moment is told as exactly as it is near', () => {
  const now = new Date(2026, 10, 21, 9, 30).getTime();
  assert.equal(momentWords(now + 12_000, now), '09:30:12');
  assert.equal(momentWords(now + 5 * 3_600_000, now), '14:30');
  assert.match(momentWords(now + 20 * 3_600_000, now), /November 22.* 05:30|22 November.* 05:30/);
});

test('a limit is told in plain words, and everything else as the server tells it', () => {
  const soon = { resets_at: new Date(Date.now() + 60_000).toISOString() };
  assert.match(explain(error('rate_limited', soon)), /^Too much in too short a time\. It goes on at [^.]*\d\d:\d\d:\d\d\.$/);
  assert.match(explain(error('rate_limited')), /Try again in a moment/);
  assert.match(explain(error('limit_reached', { limit: 'user_day_tokens', remaining: 0, ...soon })), /in a day is used up\. At .*\d it goes on\.$/);
  assert.match(explain(error('limit_reached', { limit: 'session_usd', remaining: 0, resets_at: null })), /Begin a new one/);
  assert.match(explain(error('limit_reached', { limit: 'turn_tokens', remaining: 0, resets_at: null })), /next message/);
  assert.equal(explain(error('limit_reached', { limit: 'else' })), 'A limit is reached: as the server says.');
  assert.equal(explain(error('busy')), 'as the server says');
});
