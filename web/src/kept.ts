// What the user is writing and has not sent, kept in the tab's storage for each session: the draft, and messages
// that are being written anew. A reload or a look at another session loses none of it.

import { effect, type Signal, signal } from '@preact/signals';
import { keyOf } from './access/owner';
import type { MessageId, SessionId } from './protocol';

interface Kept<T> {
  value: Signal<T>;
  /** Ends that it is kept. */
  dispose(): void;
}

export function keptDraft(id: SessionId): Kept<string> {
  return kept(() => keyOf('draft', id), (text) => text ?? '', (draft) => draft || null);
}

/** The messages that are being written anew, and what each says by now. */
export class Edits {
  private readonly kept: Kept<Readonly<Record<MessageId, string>>>;

  constructor(id: SessionId) {
    const write = (texts: object) => (Object.keys(texts).length > 0 ? JSON.stringify(texts) : null);
    this.kept = kept(() => keyOf('edits', id), readEdits, write);
  }

  /** What a message says by now; `undefined` if it is not being written anew. */
  textOf(id: MessageId): string | undefined {
    return this.kept.value.value[id];
  }

  keep(id: MessageId, text: string): void {
    this.kept.value.value = { ...this.kept.value.peek(), [id]: text };
  }

  /** It is written anew no more. */
  end(id: MessageId): void {
    const { [id]: _, ...others } = this.kept.value.peek();
    this.kept.value.value = others;
  }

  dispose(): void {
    this.kept.dispose();
  }
}

/** What stands in the storage under a key, and every change of it; `write` gives `null` for nothing. */
function kept<T>(key: () => string, read: (text: string | null) => T, write: (value: T) => string | null): Kept<T> {
  const value = signal(read(stored(key())));
  const dispose = effect(() => {
    const text = write(value.value);
    try {
      if (text === null) sessionStorage.removeItem(key());
      else sessionStorage.setItem(key(), text);
    } catch {
      // Full or forbidden: it is kept while the session is shown.
    }
  });
  return { value, dispose };
}

function readEdits(text: string | null): Record<MessageId, string> {
  try {
    return JSON.parse(text ?? '{}') as Record<MessageId, string>;
  } catch {
    return {}; // Not ours.
  }
}

function stored(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null; // Forbidden by the browser's settings.
  }
}
