// What is said to a screen reader, politely: the page has one status, and everybody who has
// something to tell tells it here.

import { type ReadonlySignal, signal } from '@preact/signals';

interface Announcement {
  text: string;
  /** Grows, so that the same words said again are heard again. */
  number: number;
}

const last = signal<Announcement>({ text: '', number: 0 });

/** The last thing that was said. */
export const announcement: ReadonlySignal<Announcement> = last;

/** Says something. What was said before and not read out yet may be lost. */
export function announce(text: string): void {
  last.value = { text, number: last.peek().number + 1 };
}
