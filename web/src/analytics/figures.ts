// The figures of the analytics page: the ranges of time that can be chosen, their buckets, and rows
// without gaps. What is not known stays unknown, and is never a zero.

import type { Analytics, AnalyticsRow } from '../api/types';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const RANGES = {
  '24h': { span: DAY_MS, bucket: 'hour' },
  '7d': { span: 7 * DAY_MS, bucket: 'day' },
  '30d': { span: 30 * DAY_MS, bucket: 'day' },
  '1y': { span: 365 * DAY_MS, bucket: 'week' },
} as const;

export type RangeName = keyof typeof RANGES;
export type Bucket = (typeof RANGES)[RangeName]['bucket'];

/** By what the figures are broken down; a model has its provider's name in front. */
export type Grouping = 'model' | 'provider';

export const BUCKET_MS: Record<Bucket, number> = { hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS };

/** Everything that the page shows of a range. Percentiles cannot be added up, so the server counts the
 *  whole range as well as each bucket. */
export interface Figures {
  bucket: Bucket;
  total: AnalyticsRow;
  /** One for each bucket, in the order of time. */
  rows: readonly AnalyticsRow[];
  /** The one with the most answers first. */
  groups: readonly Group[];
}

/** The figures of one provider or model. */
export interface Group {
  key: string;
  total: AnalyticsRow;
  rows: readonly AnalyticsRow[];
}

/** What the server answered, in order. */
export interface Answers {
  total: Analytics;
  rows: Analytics;
  groupTotals: Analytics;
  groupRows: Analytics;
}

export function figuresOf(answers: Answers, bucket: Bucket): Figures {
  const { from, to } = answers.rows;
  const fill = (rows: readonly AnalyticsRow[]) => filled(rows, from, to, bucket);
  const rowsOf = new Map<string, AnalyticsRow[]>();
  for (const row of answers.groupRows.rows) {
    const key = keyOf(row);
    rowsOf.set(key, [...(rowsOf.get(key) ?? []), row]);
  }
  const groups = answers.groupTotals.rows
    // Without an answer there is no model: a row of what was said while none answered.
    .filter((row) => row.provider !== null || row.model !== null)
    .map((total) => ({ key: keyOf(total), total, rows: fill(rowsOf.get(keyOf(total)) ?? []) }))
    .sort((a, b) => b.total.answers - a.total.answers);
  return { bucket, total: answers.total.rows[0] ?? emptyRow(from), rows: fill(answers.rows.rows), groups };
}

function keyOf({ provider, model }: AnalyticsRow): string {
  return JSON.stringify([provider, model]);
}

/** Whether nothing at all happened. */
export function isEmpty({ total }: Figures): boolean {
  return total.sessions === 0 && total.answers === 0 && total.user_messages === 0;
}

/** A row for each bucket that the time touches; those that the server left out are of nothing. */
export function filled(rows: readonly AnalyticsRow[], from: string, to: string, bucket: Bucket): readonly AnalyticsRow[] {
  const told = new Map(rows.map((row) => [Date.parse(row.start), row]));
  const end = Date.parse(to);
  for (let start = startOf(Date.parse(from), bucket); start < end; start += BUCKET_MS[bucket]) {
    if (!told.has(start)) told.set(start, emptyRow(new Date(start).toISOString()));
  }
  return [...told].sort(([a], [b]) => a - b).map(([, row]) => row);
}

/** When the bucket of a time begins: in UTC, weeks with Monday. */
export function startOf(time: number, bucket: Bucket): number {
  const size = BUCKET_MS[bucket];
  // The first of January 1970 was a Thursday.
  const shift = bucket === 'week' ? 3 * DAY_MS : 0;
  return Math.floor((time + shift) / size) * size - shift;
}

export function emptyRow(start: string): AnalyticsRow {
  return {
    start,
    provider: null,
    model: null,
    route: null,
    sessions: 0,
    user_messages: 0,
    answers: 0,
    failed_answers: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_usd: null,
    cost_unknown: 0,
    first_token_p50_ms: null,
    first_token_p95_ms: null,
    total_p50_ms: null,
    total_p95_ms: null,
    tool_calls: 0,
    tool_failures: 0,
  };
}

/** In US dollars; `null` where it is not known. Where nothing was answered, nothing was paid. */
export function costOf(row: AnalyticsRow): number | null {
  return row.cost_usd ?? (row.answers === 0 ? 0 : null);
}
