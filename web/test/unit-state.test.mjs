// How each event changes what is shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { apply, emptyState, isAnswering, isAwaiting, lastSaid, prepend, say } = await load('src/state.ts');

const STORED = new Set(['session_started', 'user_message', 'tool_call', 'tool_approved', 'tool_result', 'ai_response', 'session_ended', 'session_summary']);
/** The events as a server sends them: those that are stored have their place in the log. */
const numbered = (events) => events.map((event, index) => (STORED.has(event.type) ? { seq: index + 1, ...event } : event));
const after = (...events) => numbered(events).reduce(apply, emptyState);
const message = (id, extra = {}) => ({ type: 'user_message', id, content: `text of ${id}`, metadata: {}, replaces: null, ...extra });
const started = (response_id, message_id) => ({ type: 'response_started', response_id, message_id });
const token = (index, content, response_id = 'r1') => ({ type: 'token', response_id, index, content });
const call = (call_id, response_id = 'r1') => ({ type: 'tool_call', response_id, call_id, name: 'calculator', arguments: {}, needs_approval: false });
const result = (call_id, content) => ({ type: 'tool_result', response_id: 'r1', call_id, name: 'calculator', ok: true, content, duration_ms: 3 });
const stored = (extra = {}) => ({
  type: 'ai_response', response_id: 'r1', message_id: 'm1', content: '', finish_reason: 'stop', model: 'm',
  usage: {}, timing: {}, cost_usd: null, supersedes: null, ...extra,
});

/** The conversation in short: `said:m1`, `answer:r1[text|call]`. */
const outline = (state) => state.entries.map((entry) => {
  if (entry.kind === 'said') return `said:${entry.id}`;
  if (entry.kind === 'closing') return `closing:${entry.summary}`;
  const parts = entry.parts.map(({ text, tool }) => text ?? `<${tool.callId}>`);
  return `answer:${entry.id}[${parts.join('|')}]`;
});

test('a call that was approved asks nobody any more', () => {
  const asks = (state) => state.entries[1].parts[0].tool.needsApproval;
  const waiting = after(message('m1'), started('r1', 'm1'), { ...call('c1'), needs_approval: true });
  assert.equal(asks(waiting), true);
  assert.equal(asks(apply(waiting, { type: 'tool_approved', seq: 4, response_id: 'r1', call_id: 'c1' })), false);
});

test('text and tool calls keep the order in which they came', () => {
  const state = after(message('m1'), started('r1', 'm1'), token(0, 'Let '), token(1, 'me.'), call('c1'), result('c1', 36), token(2, 'It is 36.'));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[Let me.|<c1>|It is 36.]']);
  assert.equal(isAnswering(state), true);
  assert.equal(state.entries[1].parts[1].tool.outcome.content, 36);
});

test('a token that a snapshot held is not shown twice', () => {
  const snapshot = { type: 'response_snapshot', response_id: 'r1', message_id: 'm1', index: 4, content: 'One two', parts: [] };
  const state = after(message('m1'), snapshot, token(4, ' two'), token(5, ' three'));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[One two three]']);
});

test('a snapshot replaces the text and keeps the calls in their places', () => {
  const snapshot = {
    type: 'response_snapshot', response_id: 'r1', message_id: 'm1', index: 9, content: 'ab',
    parts: [{ text: 'a' }, { call_id: 'c1' }, { text: 'b' }],
  };
  const state = after(message('m1'), started('r1', 'm1'), token(0, 'x'), call('c1'), snapshot);
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[a|<c1>|b]']);
});

test('when another provider takes over, its text replaces what was there', () => {
  const afresh = { type: 'response_snapshot', response_id: 'r1', message_id: 'm1', index: -1, content: '', parts: [] };
  const state = after(message('m1'), started('r1', 'm1'), token(0, 'Half an'), token(1, ' ans'), afresh, token(0, 'Whole'));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[Whole]']);
});

test('what was said before a tool ran stays when another provider takes over after it', () => {
  const thought = { type: 'reasoning', response_id: 'r1', content: 'Hm.' };
  const left = {
    type: 'response_snapshot', response_id: 'r1', message_id: 'm1', index: 0, content: 'Let me see. ',
    parts: [{ text: 'Let me see. ' }, { call_id: 'c1' }],
  };
  const state = after(
    message('m1'), started('r1', 'm1'), token(0, 'Let me see. '), call('c1'), result('c1', 1),
    thought, token(1, 'It'), token(2, ' is'), left, token(1, 'One.'),
  );
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[Let me see. |<c1>|One.]']);
  assert.equal(state.entries[1].reasoning, '');
});

test('a message is awaited until somebody answers, and can be stopped meanwhile', () => {
  const stages = [
    after(message('m1')),
    after(message('m1'), started('r1', 'm1')),
    after(message('m1'), started('r1', 'm1'), stored()),
  ];
  assert.deepEqual(stages.map(isAwaiting), [true, false, false]);
  assert.deepEqual(stages.map(isAnswering), [true, true, false]);
  assert.equal(isAnswering(say(emptyState, 'm1', 'not taken yet')), false);
});

test('the stored answer has the last word', () => {
  const state = after(message('m1'), started('r1', 'm1'), token(0, 'Pie'), stored({ content: 'Pieces lost on the way' }));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[Pieces lost on the way]']);
  assert.equal(isAnswering(state), false);
});

test('a replayed call stands below the message it belongs to', () => {
  const replay = [message('m1'), message('m2'), call('c1'), result('c1', 1), stored({ content: 'a', parts: [{ call_id: 'c1' }, { text: 'a' }] })];
  assert.deepEqual(outline(after(...replay)), ['said:m1', 'answer:r1[<c1>|a]', 'said:m2']);
  const interrupting = [...replay.slice(0, -1), stored({ message_id: 'm2', content: 'a' })];
  assert.deepEqual(outline(after(...interrupting)), ['said:m1', 'said:m2', 'answer:r1[a|<c1>]']);
});

test('a message that was written while away stands behind those that were stored', () => {
  const state = apply(say(emptyState, 'mine', 'hi'), message('other', { seq: 1 }));
  assert.deepEqual(outline(state), ['said:other', 'said:mine']);
  const acknowledged = apply(state, message('mine', { seq: 2 }));
  assert.equal(acknowledged.entries[1].delivery, 'stored');
});

test('what waits stands below an end that came before it was taken', () => {
  const ended = { type: 'session_ended', seq: 2, at: '', reason: 'idle', summary: 'Sums.', metrics: {} };
  const waiting = apply(say(after(message('m1')), 'mine', 'hi'), ended);
  assert.deepEqual(outline(waiting), ['said:m1', 'closing:Sums.', 'said:mine']);
  const refused = apply(waiting, { type: 'error', code: 'busy', message: 'later', retryable: true, message_id: 'mine' });
  const again = say(say(refused, 'next', 'ho'), 'mine', 'hi');
  assert.deepEqual(outline(again), ['said:m1', 'closing:Sums.', 'said:next', 'said:mine']);
  const taken = apply(again, message('mine', { seq: 4 }));
  assert.deepEqual(outline(taken), ['said:m1', 'closing:Sums.', 'said:mine', 'said:next']);
});

test('a message that the server has on its disk stands above what it has not taken', () => {
  const two = say(say(emptyState, 'first', 'a'), 'second', 'b');
  const state = apply(apply(two, { type: 'accepted', id: 'second' }), started('r1', 'second'));
  assert.deepEqual(outline(state), ['said:second', 'answer:r1[]', 'said:first']);
});

test('messages that were queued stand above their answers, wherever the log is cut', () => {
  const log = numbered([
    message('m1'), message('m2'), call('c1'), result('c1', 1),
    stored({ content: 'a', parts: [{ call_id: 'c1' }, { text: 'a' }] }), stored({ response_id: 'r2', message_id: 'm2', content: 'b' }),
  ]);
  for (let cut = 0; cut <= log.length; cut += 1) {
    const state = prepend(log.slice(cut).reduce(apply, emptyState), log.slice(0, cut));
    assert.deepEqual(outline(state), ['said:m1', 'answer:r1[<c1>|a]', 'said:m2', 'answer:r2[b]'], `cut before ${cut}`);
  }
});

test('an answer that is read from its middle has all its calls once the rest is read, each once', () => {
  const log = numbered([message('m1'), call('c1'), call('c2'), result('c2', 2), result('c1', 1), call('c3'), result('c3', 3)]);
  const snapshot = {
    type: 'response_snapshot', response_id: 'r1', message_id: 'm1', index: 2, content: 'xyz',
    parts: [{ text: 'x' }, { call_id: 'c1' }, { call_id: 'c2' }, { text: 'y' }, { call_id: 'c3' }, { text: 'z' }],
  };
  for (let cut = 1; cut <= log.length; cut += 1) {
    const newest = [...log.slice(cut), snapshot, token(3, '!')].reduce(apply, emptyState);
    const state = prepend(newest, log.slice(0, cut));
    assert.deepEqual(outline(state), ['said:m1', 'answer:r1[x|<c1>|<c2>|y|<c3>|z!]'], `cut before ${cut}`);
    const calls = state.entries[1].parts.filter(({ kind }) => kind === 'tool');
    assert.deepEqual(calls.map(({ tool }) => tool.outcome.content), [1, 2, 3], `cut before ${cut}`);
  }
});

test('an edit marks what it replaces, and a late summary finds its end, in a part that is read later', () => {
  const log = numbered([
    message('m1'), stored({ content: 'old' }), { type: 'session_ended', reason: 'idle', summary: null, metrics: {} },
    { type: 'session_summary', summary: 'Sums.', covers: {} }, message('m2', { replaces: 'm1' }),
  ]);
  for (let cut = 0; cut <= log.length; cut += 1) {
    const state = prepend(log.slice(cut).reduce(apply, emptyState), log.slice(0, cut));
    assert.deepEqual(outline(state), ['said:m1', 'answer:r1[old]', 'closing:Sums.', 'said:m2'], `cut before ${cut}`);
    assert.deepEqual(state.entries.map(({ superseded }) => superseded), [true, true, undefined, false], `cut before ${cut}`);
  }
});

test('an answer that was generated anew is marked as the earlier one', () => {
  const state = after(message('m1'), stored({ content: 'old' }), started('r2', 'm1'), stored({ response_id: 'r2', content: 'new', supersedes: 'r1' }));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[old]', 'answer:r2[new]']);
  assert.deepEqual(state.entries.map(({ superseded }) => superseded), [false, true, false]);
});

test('an answer that was stored late and does not count is marked as an earlier one', () => {
  const state = after(message('m1'), stored({ content: 'counts' }), stored({ response_id: 'r2', content: 'late', superseded: true }));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[counts]', 'answer:r2[late]']);
  assert.deepEqual(state.entries.map(({ superseded }) => superseded), [false, false, true]);
});

test('an answer that the server lost in a crash gives way to the one that was stored', () => {
  const state = after(message('m1'), started('lost', 'm1'), token(0, 'Half an', 'lost'), stored({ finish_reason: 'interrupted' }));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[]']);
  assert.equal(isAnswering(state), false);
});

test('an answer in flight outlives that an earlier one to its message is stored late', () => {
  const state = after(message('m1'), started('r1', 'm1'), started('r2', 'm1'), token(0, 'new', 'r2'), stored({ content: 'old' }));
  assert.deepEqual(outline(state), ['said:m1', 'answer:r1[old]', 'answer:r2[new]']);
  assert.equal(isAnswering(state), true);
});

test('an edited message and its answer are marked as earlier ones', () => {
  const state = after(message('m1'), stored({ content: 'old' }), message('m2', { replaces: 'm1' }));
  assert.deepEqual(state.entries.map(({ superseded }) => superseded), [true, true, false]);
});

test('an error goes where it belongs', () => {
  const error = { type: 'error', code: 'provider_timeout', message: 'slow', retryable: true };
  const answered = after(message('m1'), started('r1', 'm1'), { ...error, message_id: 'm1', response_id: 'r1' });
  assert.equal(answered.entries[1].error.message, 'slow');
  assert.equal(answered.entries[0].delivery, 'stored');
  const early = after(message('m1'), { ...error, message_id: 'm1', response_id: 'r1' }, stored({ finish_reason: 'error' }));
  assert.deepEqual([early.entries.length, early.entries[1].error.message], [2, 'slow']);
  const refused = apply(say(emptyState, 'm1', 'hi'), { ...error, code: 'busy', message_id: 'm1' });
  assert.equal(refused.entries[0].delivery, 'refused');
  assert.equal(after(error).problem.message, 'slow');
  assert.equal(after({ ...error, code: 'nothing_to_cancel' }), emptyState);
});

test('a log that is not the one shown replaces it, and what was not sent stays', () => {
  const before = say(after(message('m1'), stored({ content: 'a' })), 'mine', 'hi');
  const state = apply(before, { type: 'session_ready', reset: true });
  assert.deepEqual(outline(state), ['said:mine']);
});

test('a summary that comes late finds its place', () => {
  const state = after({ type: 'session_ended', seq: 9, reason: 'client', summary: null, metrics: {} }, { type: 'session_summary', summary: 'Sums.', covers: {} });
  assert.deepEqual(outline(state), ['closing:Sums.']);
  assert.equal(state.ended, true);
  assert.equal(apply(state, { type: 'session_started' }).ended, false);
});

test('the store being back ends the notice of its trouble', () => {
  const notice = (code) => ({ type: 'notice', code, message: code });
  const state = after(notice('demo_model'), notice('store_degraded'), notice('store_degraded'));
  assert.deepEqual(state.notices.map(({ code }) => code), ['demo_model', 'store_degraded']);
  assert.deepEqual(apply(state, notice('store_recovered')).notices.map(({ code }) => code), ['demo_model']);
});

test('an event of an unknown type changes nothing', () => {
  const state = after(message('m1'));
  assert.equal(apply(state, { type: 'of the future', seq: 2 }), state);
});

test('what an event does not concern is not drawn again', () => {
  const before = after(message('m1'), stored({ content: 'a' }), message('m2'), started('r2', 'm2'));
  const state = apply(before, token(0, 'b', 'r2'));
  assert.equal(state.entries[1], before.entries[1]);
  assert.notEqual(state.entries[3], before.entries[3]);
});

test('a refused message takes nothing from the last one that counts', () => {
  const refused = { type: 'error', code: 'busy', message: 'later', retryable: true, message_id: 'm2' };
  const state = apply(say(after(message('m1')), 'm2', 'more'), refused);
  assert.equal(lastSaid(state).id, 'm1');
});

test('an end that is told twice is shown once', () => {
  const ended = { type: 'session_ended', seq: 3, at: '', reason: 'client', summary: null, metrics: {} };
  assert.equal(after(message('m1'), ended, ended).entries.length, 2);
});

test('an answer in flight goes below its message when that is read', () => {
  const log = numbered([message('m1'), message('m2')]);
  const snapshot = { type: 'response_snapshot', response_id: 'r1', message_id: 'm1', index: 0, content: 'Hi', parts: [] };
  const state = [log[1], snapshot].reduce(apply, emptyState);
  assert.deepEqual(outline(state), ['said:m2', 'answer:r1[Hi]']);
  assert.deepEqual(outline(prepend(state, [log[0]])), ['said:m1', 'answer:r1[Hi]', 'said:m2']);
});
