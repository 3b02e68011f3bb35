// What no longer counts: a message that was edited, its answers, and an answer that was given anew. All of it
// is told by what took its place, which may be known before it is.

import type { Entry } from '../state';
import type { MessageId, ResponseId } from '../protocol';

/** The entries, with those marked whose place another one has taken. */
export function markReplaced(entries: readonly Entry[]): readonly Entry[] {
  const messages = new Set<MessageId>();
  const answers = new Set<ResponseId>();
  for (const entry of entries) {
    if (entry.kind === 'said' && entry.stored !== null && entry.replaces !== null) messages.add(entry.replaces);
    if (entry.kind === 'answer' && entry.stored !== null && entry.stored.supersedes !== null) {
      answers.add(entry.stored.supersedes);
    }
  }
  if (messages.size === 0 && answers.size === 0) return entries;
  return entries.map((entry) => {
    if (entry.kind === 'closing' || entry.superseded) return entry;
    const isReplaced =
      entry.kind === 'said'
        ? messages.has(entry.id)
        : answers.has(entry.id) || (entry.messageId !== null && messages.has(entry.messageId));
    return isReplaced ? { ...entry, superseded: true } : entry;
  });
}
