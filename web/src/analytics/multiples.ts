// Which plots there are, and what each draws. Green is the model's words, violet tools, grey is
// waiting, as everywhere on the page.

import type { AnalyticsRow } from '../api/types';
import { count, dollars, duration } from '../format';
import { strings } from '../strings';
import { costOf } from './figures';

export interface Series {
  name: string;
  /** A token of the styles, like `--accent`. */
  colour: string;
  dashed?: boolean;
  value(row: AnalyticsRow): number | null;
}

export interface Plot {
  title: string;
  /** Bars for what is counted; lines for what is measured, with gaps where nothing was. */
  shape: 'bars' | 'lines';
  /** Whether there is nothing between two whole numbers. */
  whole: boolean;
  series: readonly Series[];
  text(value: number): string;
}

const { multiples, series } = strings.analytics;

export const PLOTS: readonly Plot[] = [
  {
    title: multiples.tokens,
    shape: 'lines',
    whole: true,
    text: count,
    series: [
      { name: series.input, colour: '--ink-quiet', dashed: true, value: (row) => row.input_tokens },
      { name: series.output, colour: '--accent', value: (row) => row.output_tokens },
    ],
  },
  {
    title: multiples.firstToken,
    shape: 'lines',
    whole: false,
    text: duration,
    series: [
      { name: series.most, colour: '--edge', dashed: true, value: (row) => row.first_token_p95_ms },
      { name: series.half, colour: '--ink-quiet', value: (row) => row.first_token_p50_ms },
    ],
  },
  {
    title: multiples.whole,
    shape: 'lines',
    whole: false,
    text: duration,
    series: [
      { name: series.most, colour: '--edge', dashed: true, value: (row) => row.total_p95_ms },
      { name: series.half, colour: '--accent', value: (row) => row.total_p50_ms },
    ],
  },
  {
    title: multiples.tools,
    shape: 'bars',
    whole: true,
    text: count,
    series: [
      { name: series.calls, colour: '--tool', value: (row) => row.tool_calls },
      // In front of the calls: they are some of them.
      { name: series.failures, colour: '--bad', value: (row) => row.tool_failures },
    ],
  },
  {
    title: multiples.sessions,
    shape: 'bars',
    whole: true,
    text: count,
    series: [{ name: series.sessions, colour: '--edge', value: (row) => row.sessions }],
  },
  {
    title: multiples.cost,
    shape: 'bars',
    whole: false,
    text: dollars,
    series: [{ name: series.cost, colour: '--ink-quiet', value: costOf }],
  },
];
