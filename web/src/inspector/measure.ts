// The speed of the newest answer: as the server measured it where the answer is stored, else as its
// pieces arrive here.

import type { AiResponse } from '../protocol';
import { responseOf, type Row } from './record';

export interface Measures {
  firstTokenMs: number | null;
  tokensPerSecond: number | null;
  /** Pieces, while the answer runs: how many tokens they are is told at its end. */
  tokens: number | null;
  totalMs: number | null;
  /** Whether the answer is still being written. */
  running: boolean;
}

/** `null` where there is no answer yet. */
export function measure(rows: readonly Row[]): Measures | null {
  const own = ofNewest(rows);
  const newest = own.at(-1)?.events.at(-1);
  if (newest === undefined) return null;
  if (newest.type === 'ai_response') return ofStored(newest);
  const started = own.find(({ type }) => type === 'response_started')?.arrivals[0];
  const first = own.find(({ type }) => type === 'token')?.arrivals[0];
  // A snapshot may take text back, or bring text that did not come piece by piece.
  const run = own.slice(own.findLastIndex(({ type }) => type === 'response_snapshot') + 1).filter(({ type }) => type === 'token');
  const pieces = run.reduce((sum, { events }) => sum + events.length, 0);
  const took = (run.at(-1)?.arrivals.at(-1) ?? 0) - (run[0]?.arrivals[0] ?? 0);
  return {
    firstTokenMs: started === undefined || first === undefined ? null : first - started,
    tokensPerSecond: perSecond(pieces - 1, took),
    tokens: lastIndex(own) + 1,
    totalMs: null,
    running: newest.type !== 'response_finished',
  };
}

/** The rows of the answer that something was told of last; up to where it is stored. */
function ofNewest(rows: readonly Row[]): readonly Row[] {
  const id = responseOf(rows.findLast((row) => responseOf(row.events[0]) !== undefined)?.events[0]);
  const own = id === undefined ? [] : rows.filter((row) => responseOf(row.events[0]) === id);
  const stored = own.findLastIndex(({ type }) => type === 'ai_response');
  return stored < 0 ? own : own.slice(0, stored + 1);
}

/** The index of the newest token, -1 where there is none. */
function lastIndex(rows: readonly Row[]): number {
  const event = rows.findLast(({ type }) => type === 'token' || type === 'response_snapshot')?.events.at(-1);
  return event?.type === 'token' || event?.type === 'response_snapshot' ? event.index : -1;
}

function ofStored({ usage, timing }: AiResponse): Measures {
  const { first_token_ms, total_ms } = timing;
  const tokens = usage.output_tokens;
  return {
    firstTokenMs: first_token_ms,
    tokensPerSecond: tokens === null || first_token_ms === null ? null : perSecond(tokens, total_ms - first_token_ms),
    tokens,
    totalMs: total_ms,
    running: false,
  };
}

function perSecond(count: number, milliseconds: number): number | null {
  return milliseconds > 0 && count > 0 ? (1_000 * count) / milliseconds : null;
}
