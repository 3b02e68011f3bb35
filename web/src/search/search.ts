// Searching what was said in all sessions. What is typed is asked for when the typing pauses; what
// is asked for anew stops what was asked before, so that no late answer takes the place of a newer.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { announce } from '../announce';
import { api, ApiError } from '../api';
import type { SearchHit } from '../api/types';
import { counted } from '../format';
import type { SessionId } from '../protocol';
import { strings } from '../strings';

const PAUSE_MS = 200;
const PAGE = 30;

export interface Found {
  /** What was asked. */
  words: string;
  hits: readonly SearchHit[];
  cursor: string | null;
}

const typed = signal('');
const lastFound = signal<Found | null>(null);
const isBusy = signal(false);
const trouble = signal<string | null>(null);

/** What stands in the box. */
export const query: ReadonlySignal<string> = typed;
export const isSearching = computed(() => typed.value.trim() !== '');
export const found: ReadonlySignal<Found | null> = lastFound;
export const searchIsBusy: ReadonlySignal<boolean> = isBusy;
export const searchTrouble: ReadonlySignal<string | null> = trouble;

/** Whether the box is to take the focus once it is drawn. */
export const searchWish = signal(false);

let timer: ReturnType<typeof setTimeout> | undefined;
let running: AbortController | undefined;

/** Takes what was typed. */
export function searchFor(text: string): void {
  typed.value = text;
  clearTimeout(timer);
  running?.abort();
  const words = text.trim();
  trouble.value = null;
  isBusy.value = words !== '';
  if (words === '') lastFound.value = null;
  else timer = setTimeout(() => void ask(words, []), PAUSE_MS);
}

/** Asks for the next hits. */
export function findMore(): void {
  const before = lastFound.peek();
  if (before?.cursor != null && !isBusy.peek()) void ask(before.words, before.hits, before.cursor);
}

/** What was found, session by session, the best first. */
export function bySession(hits: readonly SearchHit[]): ReadonlyMap<SessionId, readonly SearchHit[]> {
  const groups = new Map<SessionId, SearchHit[]>();
  for (const hit of hits) {
    const group = groups.get(hit.session_id);
    if (group === undefined) groups.set(hit.session_id, [hit]);
    else group.push(hit);
  }
  return groups;
}

async function ask(words: string, before: readonly SearchHit[], cursor?: string): Promise<void> {
  const own = new AbortController();
  running = own;
  isBusy.value = true;
  try {
    const page = await api.search({ q: words, limit: PAGE, ...(cursor !== undefined && { cursor }) }, own.signal);
    if (own.signal.aborted) return;
    const hits = [...before, ...page.hits];
    lastFound.value = { words, hits, cursor: page.next_cursor };
    trouble.value = null;
    announce(hits.length === 0 ? strings.search.none(words) : strings.search.found(counted(hits.length, strings.nouns.result)));
  } catch (error) {
    if (own.signal.aborted) return;
    if (cursor === undefined) lastFound.value = null; // What was found for other words.
    trouble.value = strings.search.failed(error instanceof ApiError ? error.message : String(error));
    announce(trouble.value);
  }
  isBusy.value = false;
}
