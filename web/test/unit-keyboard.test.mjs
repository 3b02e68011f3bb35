// Which keys a shortcut answers to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

// The module follows the preferences of other tabs, as soon as it is loaded.
globalThis.addEventListener ??= () => {};
const { pressed } = await load('src/keyboard.ts');

const key = (name, held = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

test('mod is Command on the machines of Apple, and Ctrl elsewhere', () => {
  assert.equal(pressed('mod+k', key('k', { ctrlKey: true }), false), true);
  assert.equal(pressed('mod+k', key('k', { metaKey: true }), false), false);
  assert.equal(pressed('mod+k', key('k', { metaKey: true }), true), true);
  assert.equal(pressed('mod+k', key('k'), false), false);
});

test('a character counts however the keyboard makes it, a named key only with its own modifiers', () => {
  assert.equal(pressed('?', key('?', { shiftKey: true }), false), true);
  assert.equal(pressed('?', key('?', { ctrlKey: true }), false), false);
  assert.equal(pressed('alt+ArrowUp', key('ArrowUp', { altKey: true }), false), true);
  assert.equal(pressed('alt+ArrowUp', key('ArrowUp', { altKey: true, shiftKey: true }), false), false);
});
