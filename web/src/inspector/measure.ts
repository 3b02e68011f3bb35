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
  let id: string | undefined;
  let started: number | null = null;
  let first: number | null = null;
  let last: number | null = null;
  let tokens = 0;
  let finished = false;
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    const [event] = row?.events ?? [];
    const response = responseOf(event);
    if (row === undefined || event === undefined || response === undefined) continue;
    id ??= response;
    if (response !== id) continue;
    if (event.type === 'ai_response') return ofStored(event);
    finished ||= event.type === 'response_finished';
    if (event.type === 'token') {
      tokens += row.events.length;
      first = row.arrivals[0] ?? null;
      last ??= row.arrivals.at(-1) ?? null;
    }
    if (event.type !== 'response_started') continue;
    started = row.arrivals[0] ?? null;
    break;
  }
  if (id === undefined) return null;
  return {
    firstTokenMs: started === null || first === null ? null : first - started,
    tokensPerSecond: first === null || last === null ? null : perSecond(tokens - 1, last - first),
    tokens,
    totalMs: null,
    running: !finished,
  };
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
