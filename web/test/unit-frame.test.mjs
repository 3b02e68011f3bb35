// Work that costs something is done less often.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

globalThis.document = { hidden: false };
globalThis.requestAnimationFrame = (callback) => setTimeout(callback, 5);

const { Pace } = await load('src/frame.ts');
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function busy(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Asks a hundred times for work that takes so long. Answers with what was done, and the share of the time. */
async function ask(cost) {
  const pace = new Pace();
  const done = [];
  const begun = performance.now();
  for (let number = 1; number <= 100; number += 1) {
    pace.run(() => {
      busy(cost);
      done.push(number);
    });
    await pause(5);
  }
  const share = (done.length * cost) / (performance.now() - begun);
  return { pace, done, share };
}

test('what is asked for last is done, and costly work takes a third of the time at most', async () => {
  const { done, share } = await ask(25);
  assert.ok(share < 1 / 3, `it took ${share} of the time`);
  assert.equal(done[0], 1, 'the first time at once');
  const deadline = performance.now() + 5_000;
  while (done.at(-1) !== 100 && performance.now() < deadline) await pause(5);
  assert.equal(done.at(-1), 100);
});

test('work that must be done now takes the place of what waits', async () => {
  const { pace, done } = await ask(25);
  pace.runNow(() => done.push('now'));
  await pause(300);
  assert.equal(done.at(-1), 'now');
});

test('work that fails stops none that comes later', async () => {
  const pace = new Pace();
  assert.throws(() => pace.run(() => assert.fail('on purpose')), /on purpose/);
  const done = new Promise((resolve) => pace.run(resolve));
  await Promise.race([done, pause(1_000).then(() => assert.fail('it was never done'))]);
});

test('a hidden page, whose timers are late, takes no long pauses', async (t) => {
  t.after(() => (document.hidden = false));
  document.hidden = true;
  const pace = new Pace();
  pace.run(() => undefined);
  // The timer that measures is called late.
  busy(300);
  const begun = performance.now();
  await new Promise((resolve) => pace.run(resolve));
  assert.ok(performance.now() - begun < 500, `it waited ${performance.now() - begun} ms`);
});
