// What the user chose for this browser, kept in its storage. Each preference is a signal: setting
// it keeps it, and another tab takes it over. Where storage is forbidden or full, the choice holds
// until the page is left.

import { type Signal, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const isBoolean = (value: unknown) => typeof value === 'boolean';
const isTheme = (value: unknown) => value === 'system' || value === 'light' || value === 'dark';

export const preferences = {
  /** theme.js reads this one too, before anything else runs. */
  theme: preference<Theme>('theme', 'system', isTheme),
  /** Whether the keyboard shortcuts work. */
  shortcuts: preference('shortcuts', true, isBoolean),
  /** Whether the columns are shown, where there is room for them. */
  sidebar: preference('sidebar', true, isBoolean),
  inspector: preference('inspector', false, isBoolean),
};

/** A choice kept under `patter.NAME`; `initial` where none was made, or none that is `valid`. */
export function preference<T>(name: string, initial: T, valid: (value: unknown) => boolean): Signal<T> {
  const key = `patter.${name}`;
  const chosen = signal(parse(read(key), initial, valid));
  let kept = chosen.peek();
  chosen.subscribe((value) => {
    if (value !== kept) write(key, value);
    kept = value;
  });
  addEventListener('storage', (event) => {
    if (event.key === key) chosen.value = parse(event.newValue, initial, valid);
  });
  return chosen;
}

function parse<T>(text: string | null, initial: T, valid: (value: unknown) => boolean): T {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return valid(value) ? (value as T) : initial;
  } catch {
    return initial; // Not ours.
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // Forbidden by the browser's settings.
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: it holds until the page is left.
  }
}
