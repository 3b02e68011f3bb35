// Deleting a session, with time to think again. The server deletes at once and for good, so it is
// asked only when the time is over, or when the page is left before.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { forgetSession } from '../access/owner';
import { announce } from '../announce';
import { api, ApiError } from '../api';
import type { StoredSession } from '../api/types';
import { openSession, route, startNewSession } from '../location';
import type { SessionId } from '../protocol';
import { strings } from '../strings';
import { forget } from './sessions';
import { titleOf } from './words';

const TIME_TO_UNDO_MS = 8_000;

/** A session that is gone from the page and not yet from the server. */
export interface Removal {
  id: SessionId;
  title: string;
  /** The new session that took its place on the page, if it was the shown one. */
  replacedBy: SessionId | null;
}

const waiting = signal<readonly Removal[]>([]);
/** Those that the server was asked to delete, until it has. */
const sent = signal<readonly SessionId[]>([]);
const trouble = signal<string | null>(null);
const timers = new Map<SessionId, ReturnType<typeof setTimeout>>();

/** What can be had back. */
export const removals: ReadonlySignal<readonly Removal[]> = waiting;
/** What is no longer listed. */
export const removed = computed<ReadonlySet<SessionId>>(
  () => new Set([...waiting.value.map(({ id }) => id), ...sent.value]),
);
/** Why the last deletion failed, if it did. */
export const removalTrouble: ReadonlySignal<string | null> = trouble;

/** Deletes a session, in a while. Where it is the shown one, a new one takes its place. */
export function remove(session: StoredSession): void {
  const id = session.session_id;
  if (removed.peek().has(id)) return;
  const title = titleOf(session);
  trouble.value = null;
  waiting.value = [...waiting.peek(), { id, title, replacedBy: leave(id) }];
  timers.set(id, setTimeout(() => void commit(id), TIME_TO_UNDO_MS));
  announce(strings.sidebar.deleted(title));
}

/** Takes a deletion back. */
export function undo({ id, title, replacedBy }: Removal): void {
  drop(id);
  const to = route.peek();
  if (to.view === 'session' && to.session === replacedBy) openSession(id, null);
  announce(strings.sidebar.restored(title));
}

/** Lets nobody run out of time while pointing at the way back. */
export function hold(held: boolean): void {
  for (const { id } of waiting.peek()) {
    clearTimeout(timers.get(id));
    if (!held) timers.set(id, setTimeout(() => void commit(id), TIME_TO_UNDO_MS));
  }
}

/** Deletes at once what still waits, when the page is left. Answers with what ends that. */
export function followLeaving(): () => void {
  const flush = () => {
    for (const { id } of waiting.peek()) void commit(id, true);
  };
  addEventListener('pagehide', flush);
  return () => removeEventListener('pagehide', flush);
}

async function commit(id: SessionId, keepalive = false): Promise<void> {
  const title = waiting.peek().find((removal) => removal.id === id)?.title ?? '';
  sent.value = [...sent.peek(), id]; // Before it is dropped, or its row would come back for a moment.
  drop(id);
  try {
    await api.remove(id, { keepalive });
    forgetAllOf(id);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return forgetAllOf(id); // Somebody was faster.
    sent.value = sent.peek().filter((other) => other !== id);
    trouble.value = strings.sidebar.notDeleted(title, error instanceof ApiError ? error.message : String(error));
    announce(trouble.value);
  }
}

function forgetAllOf(id: SessionId): void {
  forget(id);
  forgetSession(id);
}

function drop(id: SessionId): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  waiting.value = waiting.peek().filter((removal) => removal.id !== id);
}

/** Leaves a session if it is the shown one: reading on would keep it alive. */
function leave(id: SessionId): SessionId | null {
  const to = route.peek();
  if (to.view !== 'session' || to.session !== id) return null;
  startNewSession({ replace: true });
  const now = route.peek();
  return now.view === 'session' ? now.session : null;
}
