// However the parts of a conversation become known, what is shown is the same: live, cut off and come back,
// read from the log, or read in parts that were cut anywhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';
import { random, story } from './support/story.mjs';

const { apply, emptyState, isAnswering, lastSaid, prepend, say } = await load('src/state.ts');
const { letGo } = await load('src/state/letgo.ts');

const READY = { type: 'session_ready', protocol: 1, reset: false };

/** What counts of a state: nothing of how its parts came. */
const shown = (state) => state.entries.map(({ index, ...entry }) => entry);
const read = (events, state = emptyState) => events.reduce(apply, state);
const facts = (state) => ({ isAnswering: isAnswering(state), lastSaid: lastSaid(state)?.id });
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
    let state = emptyState;
    let from = log.length;
    for (const piece of inPieces(below, log).reverse()) {
      state = prepend(state, piece);
      from -= piece.length;
      assert.deepEqual(shown(state), shown(read(log.slice(from))), `seed ${seed}`);
    }
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
    const all = events.map(({ event }) => event);
    const messages = all.filter(({ type, replaces }) => type === 'user_message' && replaces === null);
    // What the server has, nobody is still to write.
    const yet = messages.map((message) => ({ message, due: all.find(({ id, type }) => type === 'accepted' && id === message.id) ?? message }));
    let state = emptyState;
    for (const { event } of events) {
      const isDue = yet[0]?.due === event;
      if (yet.length > 0 && (isDue ? below(2) : below(10)) === 0) {
        const { id, content } = yet.shift().message;
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

test('an answer stands below its message, as soon as that is known', () => {
  forEachStory(500, ({ events, seed }) => {
    let state = apply(emptyState, READY);
    for (const { event } of events) {
      state = apply(state, event);
      let head;
      for (const entry of state.entries) {
        if (entry.kind !== 'answer') head = entry;
        else if (state.entries.some(({ id, kind }) => kind === 'said' && id === entry.messageId)) {
          assert.equal(head?.id, entry.messageId, `seed ${seed}`);
        }
      }
    }
  });
});

test('what was let go of and is read again is shown as if it had stayed', () => {
  let times = 0;
  forEachStory(1_000, ({ below, events, whole, seed }) => {
    let state = apply(emptyState, READY);
    let first = 1;
    let stored = 0;
    const log = events.map(({ event }) => event).filter(isStored);
    const readAgain = (from) => {
      state = prepend(state, log.slice(from - 1, first - 1));
      first = from;
    };
    for (const { event } of events) {
      state = apply(state, event);
      stored = event.seq ?? stored;
      if (below(6) === 0) {
        const { isAnswering: before, lastSaid: last } = facts(state);
        const less = letGo(state, { entries: 1 + below(6), characters: below(2) === 0 ? 1e6 : below(60) }, () => false);
        if (less === null) continue;
        times += 1;
        ({ state } = less);
        ({ first } = less);
        assert.ok(first <= stored, `seed ${seed}`);
        // Nothing that matters now depends on what went.
        assert.deepEqual(facts(state), { isAnswering: before, lastSaid: last }, `seed ${seed}`);
        const opened = shown(read(log.slice(first - 1, stored)));
        const kept = shown(state).filter(({ stored: known }) => known !== null);
        assert.deepEqual(kept.map(({ id, kind }) => [id, kind]), opened.filter(({ stored: known }) => known !== null).map(({ id, kind }) => [id, kind]), `seed ${seed}`);
      }
      if (below(25) === 0 && first > 1) readAgain(1 + below(first - 1));
    }
    readAgain(1);
    assert.deepEqual(shown(state), whole, `seed ${seed}`);
  });
  assert.ok(times > 500, `only ${times} times something could go`);
});

test('what is not stored, not answered or held is never let go of', () => {
  forEachStory(500, ({ below, events, seed }) => {
    let state = apply(emptyState, READY);
    for (const { event } of events) {
      state = apply(state, event);
      if (below(10) === 0) state = say(state, `x${below(1_000)}`, 'waits');
      if (below(4) !== 0) continue;
      const held = state.entries.filter((entry) => entry.kind === 'said')[below(8)];
      const less = letGo(state, { entries: 1, characters: 1 }, (said) => said === held);
      if (less === null) continue;
      const gone = state.entries.slice(0, state.entries.length - less.state.entries.length);
      assert.deepEqual([...gone, ...less.state.entries], state.entries, `seed ${seed}`);
      assert.ok(!gone.includes(held), `seed ${seed}`);
      for (const entry of gone) assert.ok(entry.kind === 'closing' || entry.stored !== null, `seed ${seed}`);
      state = less.state;
    }
  });
});
