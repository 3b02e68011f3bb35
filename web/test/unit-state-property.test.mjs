// However the parts of a conversation become known, what is shown is the same: live, cut off and come back,
// read from the log, or read in parts that were cut anywhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';
import { random, story } from './support/story.mjs';

const { apply, emptyState, prepend, say } = await load('src/state.ts');

const READY = { type: 'session_ready', protocol: 1, reset: false };

/** What counts of a state: nothing of how its parts came. */
const shown = (state) => state.entries.map(({ index, ...entry }) => entry);
const read = (events, state = emptyState) => events.reduce(apply, state);
const isStored = ({ seq }) => seq !== undefined;

/** Tells `count` stories and what each shows to a reader who was there all the time. */
function forEachStory(count, check) {
  for (let seed = 1; seed <= count; seed += 1) {
    const below = random(seed);
    const events = story(below);
    const whole = shown(read(events.map(({ event }) => event), apply(emptyState, READY)));
    check({ below, events, whole, seed });
  }
}

/** The log in pieces that were cut anywhere. */
function inPieces(below, log) {
  const cuts = Array.from({ length: 1 + below(3) }, () => below(log.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, index) => log.slice(from, cuts[index] ?? log.length));
}

test('wherever it is cut, and however often, the end is the same', () => {
  forEachStory(500, ({ below, events, whole, seed }) => {
    let state = apply(emptyState, READY);
    let held = 0;
    let isAway = false;
    events.forEach(({ event, snapshot }, place) => {
      const isLast = place === events.length - 1;
      if (!isAway && below(8) === 0 && !isLast) isAway = true;
      if (!isAway) {
        state = apply(state, event);
        held = event.seq ?? held;
        return;
      }
      // It comes back now or later: what was stored meanwhile, and how the answer in flight stands.
      if (below(4) !== 0 && !isLast) return;
      isAway = false;
      const missed = events.slice(0, place + 1).map((known) => known.event).filter(({ seq }) => seq > held);
      state = read(missed, apply(state, READY));
      held = missed.at(-1)?.seq ?? held;
      if (snapshot !== null) state = apply(state, snapshot);
    });
    assert.deepEqual(shown(state), whole, `seed ${seed}`);
  });
});

test('a log that is read shows what was shown while it was written', () => {
  forEachStory(500, ({ events, whole, seed }) => {
    const log = events.map(({ event }) => event).filter(isStored);
    assert.deepEqual(shown(read(log)), whole, `seed ${seed}`);
  });
});

test('a log that is read in parts, cut anywhere, shows what it shows as a whole', () => {
  forEachStory(1_000, ({ below, events, seed }) => {
    // Perhaps in the middle of an answer.
    const until = below(events.length + 1);
    const log = events.slice(0, until).map(({ event }) => event).filter(isStored);
    const pieces = inPieces(below, log);
    const state = pieces.reverse().reduce(prepend, emptyState);
    assert.deepEqual(shown(state), shown(read(log)), `seed ${seed}`);
  });
});

test('what comes while earlier parts are read finds its place too', () => {
  forEachStory(1_000, ({ below, events, whole, seed }) => {
    const attached = below(events.length);
    const log = events.slice(0, attached).map(({ event }) => event).filter(isStored);
    const [newest, ...earlier] = inPieces(below, log).reverse();
    let state = apply(read(newest), READY);
    const snapshot = events[attached - 1]?.snapshot ?? null;
    if (snapshot !== null) state = apply(state, snapshot);
    for (const { event } of events.slice(attached)) {
      if (below(6) === 0 && earlier.length > 0) state = prepend(state, earlier.shift());
      state = apply(state, event);
    }
    assert.deepEqual(shown(earlier.reduce(prepend, state)), whole, `seed ${seed}`);
  });
});

test('what waits stands below all that is stored, and goes where the log has it', () => {
  const isUnsent = ({ kind, delivery }) => kind === 'said' && (delivery === 'waiting' || delivery === 'refused');
  forEachStory(500, ({ below, events, whole, seed }) => {
    const yet = events.map(({ event }) => event).filter(({ type, replaces }) => type === 'user_message' && replaces === null);
    let state = emptyState;
    for (const { event } of events) {
      const isDue = yet[0] === event;
      if (yet.length > 0 && (isDue ? below(2) : below(10)) === 0) {
        const { id, content } = yet.shift();
        state = say(state, id, content);
      } else if (isDue) yet.shift();
      if (below(20) === 0) {
        const refusal = { type: 'error', code: 'busy', message: 'later', retryable: true, message_id: `x${below(1_000)}` };
        state = apply(say(state, refusal.message_id, 'refused'), refusal);
      }
      state = apply(state, event);
      const firstUnsent = state.entries.findIndex(isUnsent);
      assert.ok(firstUnsent < 0 || state.entries.slice(firstUnsent).every(isUnsent), `seed ${seed}`);
    }
    assert.deepEqual(shown(state).filter((entry) => !isUnsent(entry)), whole, `seed ${seed}`);
  });
});
