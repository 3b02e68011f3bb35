// The code that draws markdown, nearly half of the page: it is not needed before somebody has said something,
// and is loaded when the page has nothing else to do, or when the first words come.

import { signal } from '@preact/signals';
import type { StreamingMarkdown } from '../markdown';

/** How long the page is given for its own first work, in milliseconds. */
const AT_REST_MS = 300;

/** `null` until it is there. */
export const drawing = signal<typeof StreamingMarkdown | null>(null);

let loading = false;

/** Loads it. Where that fails, texts stay plain, and the next one is another chance. */
export function loadDrawing(): void {
  if (loading) return;
  loading = true;
  import('../markdown').then(
    (module) => (drawing.value = module.StreamingMarkdown),
    () => (loading = false),
  );
}

/** Loads it when the page is at rest. */
export function loadDrawingSoon(): void {
  setTimeout(loadDrawing, AT_REST_MS);
}
