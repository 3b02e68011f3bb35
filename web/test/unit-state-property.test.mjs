// Wherever a connection is cut: what is shown at the end is what a reader shows who was never cut off.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { apply, emptyState, prepend } = await load('src/state.ts');

/** A generator of numbers below `limit` that gives the same each time (mulberry32). */
function random(seed) {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** What a server sends in a session of random turns. Each event tells what a snapshot behind it would be. */
function story(below) {
  const events = [];
  let seq = 0;
  let snapshot = null;
  const live = (event) => events.push({ event, snapshot });
  const store = (event) => live({ seq: (seq += 1), event_id: `e${seq}`, at: '2026-11-21T09:30:00.120Z', ...event });
  store({ type: 'session_started', user_id: null, metadata: {} });
  const turns = 1 + below(5);
  for (let turn = 0; turn < turns; turn += 1) {
    const [message_id, response_id] = [`m${turn}`, `r${turn}`];
    const replaces = turn > 0 && below(6) === 0 ? `m${turn - 1}` : null;
    store({ type: 'user_message', id: message_id, content: `text ${turn}`, metadata: {}, replaces });
    let [index, content] = [-1, ''];
    const parts = [];
    const note = () => {
      const order = parts.some((part) => part.call_id) ? parts.map((part) => ({ ...part })) : [];
      snapshot = { type: 'response_snapshot', response_id, message_id, index, content, parts: order };
    };
    note();
    live({ type: 'response_started', response_id, message_id, model: 'm', provider: 'p', route: null });
    for (let step = below(12); step > 0; step -= 1) {
      if (below(5) === 0) {
        const call_id = `${response_id}c${parts.length}`;
        parts.push({ call_id });
        note();
        store({ type: 'tool_call', response_id, call_id, name: 'add', arguments: {}, needs_approval: false });
        store({ type: 'tool_result', response_id, call_id, name: 'add', ok: true, content: 1, duration_ms: 1 });
      } else {
        index += 1;
        const word = `w${index} `;
        content += word;
        if (parts.at(-1)?.text === undefined) parts.push({ text: word });
        else parts.at(-1).text += word;
        note();
        live({ type: 'token', response_id, index, content: word });
      }
    }
    snapshot = null;
    live({ type: 'response_finished', response_id, finish_reason: 'stop' });
    store({
      type: 'ai_response', response_id, message_id, content, finish_reason: 'stop', model: 'm', provider: 'p',
      parts: parts.some((part) => part.call_id) ? parts : [],
      usage: {}, timing: {}, cost_usd: null, supersedes: null,
    });
  }
  return events;
}

/** What counts of a state: nothing of how its parts came. */
const shown = (state) => state.entries.map(({ index, ...entry }) => entry);

const READY = { type: 'session_ready', protocol: 1, reset: false };

test('wherever it is cut, and however often, the end is the same', () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const below = random(seed);
    const events = story(below);
    const whole = events.reduce((state, { event }) => apply(state, event), apply(emptyState, READY));
    let state = apply(emptyState, READY);
    let held = 0;
    let missedFrom = null;
    events.forEach(({ event, snapshot }, place) => {
      const isLast = place === events.length - 1;
      if (missedFrom === null && below(8) === 0 && !isLast) missedFrom = place;
      if (missedFrom === null) {
        state = apply(state, event);
        held = event.seq ?? held;
        return;
      }
      // It comes back now or later: what was stored meanwhile, and how the answer in flight stands.
      if (below(4) !== 0 && !isLast) return;
      missedFrom = null;
      state = apply(state, READY);
      for (const { event: stored } of events.slice(0, place + 1)) {
        if (stored.seq === undefined || stored.seq <= held) continue;
        state = apply(state, stored);
        held = stored.seq;
      }
      if (snapshot !== null) state = apply(state, snapshot);
    });
    assert.deepEqual(shown(state), shown(whole), `seed ${seed}`);
  }
});

test('a log that is read in two parts shows what it shows as a whole', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const below = random(seed);
    const stored = story(below).map(({ event }) => event).filter(({ seq }) => seq !== undefined);
    const messages = stored.flatMap(({ type }, place) => (type === 'user_message' ? [place] : []));
    const cut = messages[below(messages.length)];
    // The page cuts nowhere else: an edit marks what it replaces.
    if (stored[cut].replaces !== null) continue;
    const whole = stored.reduce(apply, emptyState);
    const newest = stored.slice(cut).reduce(apply, emptyState);
    assert.deepEqual(shown(prepend(newest, stored.slice(0, cut))), shown(whole), `seed ${seed}`);
  }
});
