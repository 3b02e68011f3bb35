// The keyboard shortcuts: who offers something registers it, and one listener runs it. The user can
// switch them all off. They rest while a dialog is open, which has keys of its own, and while a
// word is being composed; those without Ctrl or Command rest wherever somebody types.

import { type ReadonlySignal, signal } from '@preact/signals';
import { preferences } from './preferences';

export interface Shortcut {
  /** Like `?`, `/`, `mod+k`, `alt+ArrowUp`; `mod` is Command on Apple's machines, Ctrl elsewhere. */
  keys: string;
  /** What it does, in the words of the sheet and the palette. */
  label: string;
  run(): void;
  /** Whether it makes sense now; always, if left out. */
  when?(): boolean;
}

const registered = signal<readonly Shortcut[]>([]);

/** Everything that is offered, in the order in which it was registered. */
export const shortcuts: ReadonlySignal<readonly Shortcut[]> = registered;

/** Offers shortcuts. Answers with what takes them back. */
export function register(...added: Shortcut[]): () => void {
  registered.value = [...registered.peek(), ...added];
  return () => {
    registered.value = registered.peek().filter((shortcut) => !added.includes(shortcut));
  };
}

/** Whether a dialog or a drawer lies over the page, and has the keys. */
export function dialogIsOpen(): boolean {
  return document.querySelector('dialog[open]') !== null;
}

/** Runs what is registered. Answers with what ends that. */
export function followKeyboard(): () => void {
  const onKeyDown = (event: KeyboardEvent) => {
    if (!preferences.shortcuts.peek() || event.defaultPrevented || event.isComposing || dialogIsOpen()) return;
    const found = registered.peek().find((shortcut) => applies(shortcut, event));
    if (found === undefined) return;
    event.preventDefault();
    found.run();
  };
  addEventListener('keydown', onKeyDown);
  return () => removeEventListener('keydown', onKeyDown);
}

function applies(shortcut: Shortcut, event: KeyboardEvent): boolean {
  if (!pressed(shortcut.keys, event)) return false;
  if (!shortcut.keys.startsWith('mod+') && isTyping(event.target)) return false;
  return shortcut.when?.() ?? true;
}

/** Whether these are the keys of an event. Which keys make a `?` depends on the keyboard, so Shift
 *  counts only with keys that have names. */
export function pressed(keys: string, event: KeyboardEvent, apple = isApple()): boolean {
  const parts = keys.split('+');
  const key = parts.pop() ?? '';
  const mod = parts.includes('mod');
  return (
    event.key.toLowerCase() === key.toLowerCase() &&
    event.ctrlKey === (mod && !apple) &&
    event.metaKey === (mod && apple) &&
    event.altKey === parts.includes('alt') &&
    (key.length === 1 || event.shiftKey === parts.includes('shift'))
  );
}

export function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}
