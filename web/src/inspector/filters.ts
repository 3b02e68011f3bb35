// Which rows are shown: those of the kinds that were not switched off, and of them a window that
// ends with the newest one or with the one that somebody stopped at. A page with thousands of rows
// would be slow, so the window is small.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Kind, Row } from './record';

/** Rows in the page at most. */
export const MOST_SHOWN = 200;
/** How many rows one step through the record goes. */
export const STEP = 100;

/** The kinds in the order of their buttons. */
export const KINDS: readonly Kind[] = ['message', 'answer', 'words', 'tool', 'session', 'trouble', 'other'];

const off = signal<ReadonlySet<Kind>>(new Set());

/** The kinds that are not shown. It holds for every session, until the page is left. */
export const hidden: ReadonlySignal<ReadonlySet<Kind>> = off;

export function toggleKind(kind: Kind): void {
  const next = new Set(off.peek());
  if (!next.delete(kind)) next.add(kind);
  off.value = next;
}

export interface Window {
  rows: readonly Row[];
  /** How many rows there are above and below it. */
  before: number;
  after: number;
}

export function withoutHidden(rows: readonly Row[], without: ReadonlySet<Kind>): readonly Row[] {
  return without.size === 0 ? rows : rows.filter((row) => !without.has(row.kind));
}

/** The rows up to the one with the name `end`; up to the newest, where that is `null`. Where all of
 *  these were forgotten meanwhile, the oldest that are left. */
export function windowOf(rows: readonly Row[], end: number | null): Window {
  let until = end === null ? rows.length : rows.findLastIndex((row) => row.id <= end) + 1;
  if (until < MOST_SHOWN) until = Math.min(MOST_SHOWN, until === 0 || end === null ? rows.length : until);
  const from = Math.max(0, until - MOST_SHOWN);
  return { rows: rows.slice(from, until), before: from, after: rows.length - until };
}

/** The name of the row that the window ends with after a step up (-1) or down (1); `null` where it
 *  then follows the newest again. */
export function stepped(rows: readonly Row[], shown: Window, direction: -1 | 1): number | null {
  const until = shown.before + shown.rows.length + direction * STEP;
  if (until >= rows.length) return null;
  return rows[Math.max(Math.min(MOST_SHOWN, rows.length), until) - 1]?.id ?? null;
}
