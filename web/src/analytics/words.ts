// Figures in words, and the columns of the tables that hold them.

import type { AnalyticsRow } from '../api/types';
import { count, dollars, duration } from '../format';
import { strings } from '../strings';
import { type Bucket, costOf } from './figures';

const { columns: names } = strings.analytics;
const hour = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** When a bucket begins. */
export function time(at: number, bucket: Bucket): string {
  return (bucket === 'hour' ? hour : day).format(at);
}

function durationOrNot(milliseconds: number | null): string {
  return milliseconds === null ? '–' : duration(milliseconds);
}

/** What a row cost, as far as that is known. */
export function cost(row: AnalyticsRow): string {
  const known = costOf(row);
  if (known === null) return strings.analytics.notKnown;
  return row.cost_unknown > 0 ? strings.analytics.atLeast(dollars(known)) : dollars(known);
}

export interface Column {
  name: string;
  text(row: AnalyticsRow): string;
}

export const FIGURES: readonly Column[] = [
  { name: names.sessions, text: (row) => count(row.sessions) },
  { name: names.answers, text: (row) => count(row.answers) },
  { name: names.failed, text: (row) => count(row.failed_answers) },
  { name: names.input, text: (row) => count(row.input_tokens) },
  { name: names.output, text: (row) => count(row.output_tokens) },
  { name: names.firstHalf, text: (row) => durationOrNot(row.first_token_p50_ms) },
  { name: names.firstMost, text: (row) => durationOrNot(row.first_token_p95_ms) },
  { name: names.wholeHalf, text: (row) => durationOrNot(row.total_p50_ms) },
  { name: names.wholeMost, text: (row) => durationOrNot(row.total_p95_ms) },
  { name: names.calls, text: (row) => count(row.tool_calls) },
  { name: names.failures, text: (row) => count(row.tool_failures) },
  { name: names.cost, text: cost },
];

/** `provider / model`, as far as there are such. */
export function groupName({ provider, model }: AnalyticsRow): string {
  return [provider, model].filter((name) => name !== null).join(' / ');
}
