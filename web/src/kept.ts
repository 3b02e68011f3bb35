// What the user is writing and has not sent, kept in the tab's storage for each session: the draft, and messages
// that are being written anew. A reload or a look at another session loses none of it.

import { effect, type Signal, signal } from '@preact/signals';
import { keyOf } from './access/owner';
import type { MessageId, SessionId } from './protocol';
import { tabStorage } from './storage';

interface Kept<T> {
  value: Signal<T>;
  /** Ends that it is kept. */
  dispose(): void;
}

export function keptDraft(id: SessionId): Kept<string> {
  return kept(() => keyOf('draft', id), (text) => text ?? '', (draft) => draft || null);
}

/** The messages that are being written anew, and what each says by now. Any word may be an id. */
export class Edits {
  private readonly kept: Kept<ReadonlyMap<MessageId, string>>;

  constructor(id: SessionId) {
    this.kept = kept(() => keyOf('edits', id), readEdits, writeEdits);
  }

  /** What a message says by now; `undefined` if it is not being written anew. */
  of(id: MessageId): string | undefined {
    return this.kept.value.value.get(id);
  }

  /** All of them, in the order in which they were begun. */
  all(): ReadonlyMap<MessageId, string> {
    return this.kept.value.peek();
  }

  keep(id: MessageId, text: string): void {
    this.kept.value.value = new Map(this.all()).set(id, text);
  }

  /** It is written anew no more. */
  end(id: MessageId): void {
    if (!this.all().has(id)) return;
    const others = new Map(this.all());
    others.delete(id);
    this.kept.value.value = others;
  }

  dispose(): void {
    this.kept.dispose();
  }
}

/** What stands in the storage under a key, and every change of it; `write` gives `null` for nothing. */
function kept<T>(key: () => string, read: (text: string | null) => T, write: (value: T) => string | null): Kept<T> {
  const value = signal(read(tabStorage.get(key())));
  const dispose = effect(() => void tabStorage.set(key(), write(value.value)));
  return { value, dispose };
}

function writeEdits(edits: ReadonlyMap<MessageId, string>): string | null {
  return edits.size === 0 ? null : JSON.stringify(Object.fromEntries(edits));
}

function readEdits(text: string | null): ReadonlyMap<MessageId, string> {
  try {
    const entries = Object.entries((JSON.parse(text ?? '{}') ?? {}) as object);
    return new Map(entries.filter((entry): entry is [MessageId, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map(); // Not ours.
  }
}
