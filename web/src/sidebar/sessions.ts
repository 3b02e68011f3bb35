// The sessions that the server stores, newest first, as far as they were loaded. One request at a
// time: a page that comes later never overwrites a newer one.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { api, ApiError } from '../api';
import type { StoredSession } from '../api/types';
import type { SessionId } from '../protocol';
import { isEmpty } from './words';

const PAGE = 50;
/** How many pages one wish for more may take, where all that they bring is hidden. */
const MOST_PAGES = 5;
/** Events come in bunches (an end, its summary); one request serves them all. */
const BUNCH_MS = 250;

const rows = signal<readonly StoredSession[]>([]);
const cursor = signal<string | null>(null);
const trouble = signal<string | null>(null);
const answered = signal(false);

export const storedSessions: ReadonlySignal<readonly StoredSession[]> = rows;
/** Whether there are older ones that are not loaded. */
export const thereIsMore = computed(() => cursor.value !== null);
/** Why the list could not be had, where it could not. */
export const listTrouble: ReadonlySignal<string | null> = trouble;
/** Whether the server ever answered: before, an empty list means nothing. */
export const listIsKnown: ReadonlySignal<boolean> = answered;

let queue: Promise<void> = Promise.resolve();
let refreshWaits = false;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Loads the newest page again; what was loaded beyond it stays. */
export function refreshSessions(): Promise<void> {
  if (refreshWaits) return queue;
  refreshWaits = true;
  return enqueue(async () => {
    refreshWaits = false;
    const page = await api.sessions({ limit: PAGE });
    const before = rows.peek();
    const end = before.findIndex(({ session_id }) => session_id === page.sessions.at(-1)?.session_id);
    const keepsOlder = page.next_cursor !== null && end >= 0 && end < before.length - 1;
    const fresh = new Set(page.sessions.map(({ session_id }) => session_id));
    const older = keepsOlder ? before.slice(end + 1).filter(({ session_id }) => !fresh.has(session_id)) : [];
    rows.value = [...page.sessions, ...older];
    if (!keepsOlder) cursor.value = page.next_cursor;
    if (!page.sessions.some((row) => !isEmpty(row))) await loadOlder(MOST_PAGES - 1);
  });
}

/** The same in a moment, once for all who ask in the meantime. */
export function refreshSoon(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void refreshSessions(), BUNCH_MS);
}

/** Loads older ones. */
export function loadMore(): Promise<void> {
  return enqueue(() => loadOlder(MOST_PAGES));
}

/** Takes over what the server says of one session. */
export function takeOver(changed: StoredSession): void {
  if (find(changed.session_id) === undefined) refreshSoon();
  rows.value = rows.peek().map((row) => (row.session_id === changed.session_id ? changed : row));
}

/** Forgets a session that is deleted. */
export function forget(id: SessionId): void {
  rows.value = rows.peek().filter(({ session_id }) => session_id !== id);
}

/** What is known of a session, if it is loaded. */
export function find(id: SessionId): StoredSession | undefined {
  return rows.value.find(({ session_id }) => session_id === id);
}

async function loadOlder(pages: number): Promise<void> {
  for (let left = pages; left > 0 && cursor.peek() !== null; left -= 1) {
    const page = await api.sessions({ limit: PAGE, cursor: cursor.peek() ?? '' });
    const known = new Set(rows.peek().map(({ session_id }) => session_id));
    const older = page.sessions.filter(({ session_id }) => !known.has(session_id));
    rows.value = [...rows.peek(), ...older];
    cursor.value = page.next_cursor;
    if (older.some((row) => !isEmpty(row))) return;
  }
}

function enqueue(work: () => Promise<void>): Promise<void> {
  queue = queue.then(async () => {
    try {
      await work();
      trouble.value = null;
      answered.value = true;
    } catch (error) {
      trouble.value = error instanceof ApiError ? error.message : String(error);
    }
  });
  return queue;
}
