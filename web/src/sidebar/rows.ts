// Which of the stored sessions are listed: not those that are deleted, not empty ones unless shown
// now, and only those with the tag that is chosen, if one is.

import { computed, signal } from '@preact/signals';
import type { StoredSession } from '../api/types';
import { route } from '../location';
import type { SessionId } from '../protocol';
import { removed } from './removal';
import { storedSessions } from './sessions';
import { isEmpty, tagsOf } from './words';

const present = computed(() => {
  const to = route.value;
  const shown = to.view === 'session' ? to.session : null;
  return storedSessions.value.filter(
    (row) => !removed.value.has(row.session_id) && (row.session_id === shown || !isEmpty(row)),
  );
});

/** Every tag that a listed session has, in the order of the alphabet. */
export const allTags = computed(() => [...new Set(present.value.flatMap(tagsOf))].sort((a, b) => a.localeCompare(b)));

/** The tag that was chosen last. */
const wanted = signal<string | null>(null);

/** The tag by which the list is narrowed. A tag that nothing has any more narrows nothing. */
export const chosenTag = computed(() => {
  const tag = wanted.value;
  return tag !== null && allTags.value.includes(tag) ? tag : null;
});

/** Narrows the list to a tag, or no longer where it was that one. */
export function toggleTag(tag: string): void {
  wanted.value = chosenTag.peek() === tag ? null : tag;
}

export const listedSessions = computed<readonly StoredSession[]>(() => {
  const tag = chosenTag.value;
  return tag === null ? present.value : present.value.filter((row) => tagsOf(row).includes(tag));
});

/** Who takes the focus when a row goes: the next one, else the one before; `null` where none is left. */
export function neighbourOf(id: SessionId): SessionId | null {
  const listed = listedSessions.peek();
  const at = listed.findIndex(({ session_id }) => session_id === id);
  return (listed[at + 1] ?? listed[at - 1])?.session_id ?? null;
}

/** The session `step` rows below the shown one, above if negative. */
export function besideShown(step: 1 | -1): SessionId | null {
  const to = route.peek();
  const listed = listedSessions.peek();
  const at = listed.findIndex(({ session_id }) => to.view === 'session' && session_id === to.session);
  if (at < 0) return listed[0]?.session_id ?? null;
  return listed[at + step]?.session_id ?? null;
}

/** The row that is to take the focus once it is drawn: `null` for none, `''` for the search box. */
export const focusWish = signal<SessionId | '' | null>(null);
