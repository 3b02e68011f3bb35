// Reading aloud, by the browser's own voices.

import { signal } from '@preact/signals';

/** Whether the browser can. */
export const canSpeak = 'speechSynthesis' in globalThis;

/** What is being read; `null` while nothing is. */
export const speaking = signal<string | null>(null);

/** Reads a text of markdown, or stops if it is being read. */
export function toggleReading(id: string, markdown: string): void {
  const stops = speaking.peek() === id;
  speechSynthesis.cancel();
  speaking.value = null;
  if (stops) return;
  const utterance = new SpeechSynthesisUtterance(plain(markdown));
  const done = () => {
    if (speaking.peek() === id) speaking.value = null;
  };
  utterance.onend = done;
  utterance.onerror = done;
  speaking.value = id;
  speechSynthesis.speak(utterance);
}

/** Reads nothing any more. */
export function stopReading(): void {
  if (!canSpeak || speaking.peek() === null) return;
  speechSynthesis.cancel();
  speaking.value = null;
}

/** Without the signs that nobody wants to hear. */
export function plain(markdown: string): string {
  return markdown
    .replace(/```[^\n]*\n?/g, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[ \t]*(?:#{1,6}|>|[-*+]|\d+\.)[ \t]+/gm, '')
    .replace(/[*_`~|]+/g, '')
    .replace(/\n{2,}/g, '\n');
}
