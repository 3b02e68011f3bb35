// Two parts of a log, one behind the other, become what they would be if they had been read as one, wherever
// they were cut: in the middle of an answer, between a message and its answer, or before what replaces it.

import { type Entry, keyOf } from '../state';
import { type Answer, join } from './answer';
import { insert } from './order';
import { markReplaced } from './replaced';

/** The entries of an earlier part of the log and those that are shown already. */
export function merge(earlier: readonly Entry[], shown: readonly Entry[]): readonly Entry[] {
  const known = new Map(earlier.map((entry) => [keyOf(entry), entry]));
  const messages = new Set(earlier.map((entry) => (entry.kind === 'said' ? entry.id : null)));
  const top = shown.findIndex((entry) => entry.kind !== 'answer');
  // Their messages stand further up, or that is known only now.
  const isLoose = (entry: Entry, index: number): entry is Answer =>
    entry.kind === 'answer' &&
    (top < 0 || index < top || entry.messageId === null || known.has(keyOf(entry)) || messages.has(entry.messageId));
  // A message that waits to be acknowledged may be stored already.
  const rest = shown.filter((entry, index) => !isLoose(entry, index) && !known.has(keyOf(entry)));
  return markReplaced(shown.filter(isLoose).reduce<readonly Entry[]>((entries, answer) => {
    const begun = known.get(keyOf(answer));
    if (begun?.kind !== 'answer') return insert(entries, answer);
    return insert(entries.filter((entry) => entry !== begun), join(begun, answer));
  }, [...earlier, ...rest]));
}
