// The user's messages among the entries.

import type { MessageId } from '../protocol';
import type { Entry, Said } from '../state';
import { insert, standing } from './order';

export function isSaid(entry: Entry, id: MessageId): entry is Said {
  return entry.kind === 'said' && entry.id === id;
}

/** The entries with a message, in the place of what was known of it. */
export function putSaid(entries: readonly Entry[], said: Said): readonly Entry[] {
  const index = entries.findLastIndex((entry) => isSaid(entry, said.id));
  const known = entries[index];
  if (known?.kind !== 'said') return insert(entries, said);
  if (standing(known) === standing(said)) return entries.with(index, said);
  return insert(entries.toSpliced(index, 1), said);
}
