// The order in which a conversation stands. It depends on what is known of it and not on how that became known:
// live, from a log, or from parts of one. What is stored stands by its place in the log, each answer below the
// message it answers; behind it what is safe on the server's disk; last what the server has not taken.

import type { Answer, Entry } from '../state';
import type { MessageId } from '../protocol';

/** An entry that stands by itself; the answers behind it, up to the next one, are its own. */
type Head = Exclude<Entry, Answer>;

/** Behind everything that is stored. */
const SPOOLED = Number.MAX_SAFE_INTEGER;
const NOT_TAKEN = Infinity;

/** The entries with one more, which is put where it belongs; the others are in order. */
export function insert(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  return entry.kind === 'answer' ? insertAnswer(entries, entry) : insertHead(entries, entry);
}

/** By this the heads are ordered; those with the same stand as they came. */
export function standing(head: Head): number {
  if (head.kind === 'closing') return head.seq;
  if (head.stored !== null) return head.stored.seq;
  return head.delivery === 'spooled' ? SPOOLED : NOT_TAKEN;
}

/** With the answers to it that came before it, or that stood below it elsewhere. */
function insertHead(entries: readonly Entry[], head: Head): readonly Entry[] {
  const isOwn = (entry: Entry) =>
    head.kind === 'said' && entry.kind === 'answer' && entry.messageId === head.id;
  const own = entries.filter(isOwn);
  const others = own.length === 0 ? entries : entries.filter((entry) => !isOwn(entry));
  // Most belong at the end.
  let place = others.findLastIndex((entry) => entry.kind !== 'answer' && standing(entry) <= standing(head)) + 1;
  while (others[place]?.kind === 'answer') place += 1;
  return own.reduce(insert, others.toSpliced(place, 0, head));
}

function insertAnswer(entries: readonly Entry[], answer: Answer): readonly Entry[] {
  const asked = answer.messageId ?? probableMessage(entries, answer.begun ?? Infinity);
  const message = entries.findLastIndex((entry) => entry.kind === 'said' && entry.id === asked);
  // Its message is safe on the server's disk, of which this page was not told.
  if (message < 0 && answer.begun === null) return insertLive(entries, answer);
  // Where its message is not known, that is further up in the log: it stands above everything.
  let place = message + 1;
  for (let next = entries[place]; next?.kind === 'answer' && rank(next) <= rank(answer); next = entries[place]) place += 1;
  return entries.toSpliced(place, 0, answer);
}

function insertLive(entries: readonly Entry[], answer: Answer): readonly Entry[] {
  const next = entries.findIndex((entry) => entry.kind !== 'answer' && standing(entry) === NOT_TAKEN);
  return next < 0 ? [...entries, answer] : entries.toSpliced(next, 0, answer);
}

/** By this the answers to one message are ordered. */
function rank(answer: Answer): number {
  return answer.stored?.seq ?? Infinity;
}

/** The message to which an answer most likely belongs that began at `seq`. In a log, a tool call comes before
 *  the `ai_response` that says so: messages are answered in their order, and the last one perhaps anew. */
function probableMessage(entries: readonly Entry[], seq: number): MessageId | null {
  const messages: MessageId[] = [];
  const answered = new Set<MessageId | null>();
  for (const entry of entries) {
    if (entry.kind === 'closing' || entry.stored === null || entry.stored.seq >= seq) continue;
    if (entry.kind === 'said') messages.push(entry.id);
    else answered.add(entry.messageId);
  }
  return messages.find((id) => !answered.has(id)) ?? messages.at(-1) ?? null;
}
