// Letting go of the beginning of what is shown, so that a long conversation does not grow without end. What stays
// is what a reader would have who had opened the log at that place: `prepend` brings the rest back.

import type { Answer, Entry, Said, State } from '../state';
import type { Part } from './parts';

/** How much of a conversation stays. */
export interface Bounds {
  entries: number;
  /** Of all its text, roughly. */
  characters: number;
}

/** A result of a tool that is no text counts as so many characters. */
const CHARACTERS_OF_A_CALL = 1_000;

/** Whether more is shown than that. */
export function isOver({ entries }: State, bounds: Bounds): boolean {
  return entries.length > bounds.entries || entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > bounds.characters;
}

/** The state without its earliest part, so that at least as much as the bounds allow stays, and `seq` of the first
 *  event that is shown then; `null` where nothing can go. Before a message that is `held` everything stays. */
export function letGo(state: State, bounds: Bounds, isHeld: (said: Said) => boolean): { state: State; first: number } | null {
  const { entries } = state;
  const most = firstWithin(entries, bounds);
  let cut = 0;
  let first = 0;
  // `seq` of the last event that is told of in what would go.
  let last = 0;
  for (const [index, entry] of entries.entries()) {
    if (index > most) break;
    if (entry.kind === 'said' && entry.stored !== null && entry.stored.seq > last && index > 0) {
      cut = index;
      first = entry.stored.seq;
    }
    if (!canGo(entries, index) || (entry.kind === 'said' && isHeld(entry))) break;
    last = Math.max(last, lastSeqOf(entry));
  }
  if (cut === 0) return null;
  const summaries = state.summaries.filter(({ seq }) => seq >= first);
  return { state: { ...state, entries: entries.slice(cut), summaries }, first };
}

/** The index from which on everything is within the bounds. */
function firstWithin(entries: readonly Entry[], bounds: Bounds): number {
  let left = bounds.characters;
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index];
    left -= entry === undefined ? 0 : sizeOf(entry);
    if (left <= 0 || entries.length - index >= bounds.entries) return index;
  }
  return 0;
}

/** Whether the log has all of an entry. */
function canGo(entries: readonly Entry[], index: number): boolean {
  const entry = entries[index];
  if (entry?.kind === 'said') return entry.stored !== null && isAnswered(entries, index);
  return entry?.kind === 'closing' || (entry?.finish !== null && entry?.stored !== null);
}

/** A message without an answer is one that an answer is to come to. */
function isAnswered(entries: readonly Entry[], index: number): boolean {
  return entries[index + 1]?.kind === 'answer';
}

function lastSeqOf(entry: Entry): number {
  if (entry.kind === 'closing') return Math.max(entry.seq, entry.summarized ?? 0);
  return entry.stored?.seq ?? Infinity;
}

function sizeOf(entry: Entry): number {
  if (entry.kind === 'answer') return sizeOfAnswer(entry);
  return entry.kind === 'said' ? entry.content.length : (entry.summary?.length ?? 0);
}

function sizeOfAnswer({ parts, reasoning }: Answer): number {
  return parts.reduce((sum, part) => sum + sizeOfPart(part), reasoning.length);
}

function sizeOfPart(part: Part): number {
  if (part.kind === 'text') return part.text.length;
  const content = part.kind === 'tool' ? part.tool.outcome?.content : undefined;
  return typeof content === 'string' ? Math.max(content.length, CHARACTERS_OF_A_CALL) : CHARACTERS_OF_A_CALL;
}
