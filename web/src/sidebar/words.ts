// What the list says of a session: its title and its tags, and whether it is worth a row. Pure, so
// that a test needs no browser. Titles and tags are anybody's: only ever shown as text.

import type { StoredSession } from '../api/types';
import { strings } from '../strings';

const LONGEST_TITLE = 60;
const LONGEST_SENTENCE = 80;

/** The title that somebody gave it, or `null`. */
export function ownTitle({ metadata }: Pick<StoredSession, 'metadata'>): string | null {
  const { title } = metadata;
  return typeof title === 'string' && title.trim() !== '' ? title.trim() : null;
}

/** What stands in its row: never empty. */
export function titleOf(session: Pick<StoredSession, 'metadata' | 'summary'>): string {
  return ownTitle(session) ?? firstSentence(session.summary ?? '') ?? strings.sidebar.untitled;
}

export function tagsOf({ metadata }: Pick<StoredSession, 'metadata'>): readonly string[] {
  const { tags } = metadata;
  if (!Array.isArray(tags)) return [];
  const texts = tags.filter((tag): tag is string => typeof tag === 'string' && tag.trim() !== '');
  return [...new Set(texts.map((tag) => tag.trim()))];
}

/** Whether nobody ever said anything in it. The first event of a log is its start. */
export function isEmpty({ last_seq, metrics }: Pick<StoredSession, 'last_seq' | 'metrics'>): boolean {
  return last_seq <= 1 || metrics?.user_messages === 0;
}

/** The title that a first message makes: one line, cut between words where there are any. */
export function titleFrom(content: string): string {
  return shorten(content, LONGEST_TITLE);
}

function firstSentence(text: string): string | null {
  const sentence = /^.*?[.!?。！？](?=\s|$)/s.exec(text.trim())?.[0] ?? text;
  return shorten(sentence, LONGEST_SENTENCE) || null;
}

function shorten(text: string, length: number): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()]; // Not half of an emoji.
  if (characters.length <= length) return characters.join('');
  const cut = characters.slice(0, length - 1).join('');
  const space = cut.lastIndexOf(' ');
  return `${space > length / 2 ? cut.slice(0, space) : cut}…`;
}
