// What the user is writing, kept while it is not sent, for each session.

import { effect, type Signal, signal } from '@preact/signals';
import type { SessionId } from './protocol';

/** The draft of a session. `dispose` ends that it is kept. */
export function keptDraft(id: SessionId): { draft: Signal<string>; dispose(): void } {
  const key = `patter.draft.${id}`;
  const draft = signal(read(key));
  const dispose = effect(() => {
    const text = draft.value;
    try {
      if (text === '') sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, text);
    } catch {
      // Full or forbidden: it is kept while the page is.
    }
  });
  return { draft, dispose };
}

function read(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}
