// What the browser says of the screen and of its user's wishes, as signals.

import { type ReadonlySignal, signal } from '@preact/signals';

/** Whether a media query holds, as long as the page lives. */
export function mediaSignal(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const holds = signal(list.matches);
  list.addEventListener('change', () => (holds.value = list.matches));
  return holds;
}
