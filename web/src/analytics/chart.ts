// A plot on a canvas. Its colours and its font are those of the styles at the time it is made: in
// another theme, another one is made. All plots that are there have one cursor.

import uPlot from 'uplot';
import type { AnalyticsRow } from '../api/types';
import { type Bucket, BUCKET_MS } from './figures';
import type { Plot } from './multiples';

/** A plot's height in CSS pixels; styles/analytics.css keeps the same room. */
const HEIGHT = 150;
/** As wide in each plot, so that their times stand below each other. */
const AXIS_WIDTH = 64;
/** All plots with this name have one cursor. */
const CURSOR = 'analytics';
const DAY_S = 86_400;
/** Steps between the times at the axis, in seconds. */
const STEPS: Record<Bucket, number[]> = {
  hour: [3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, DAY_S],
  day: [DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S],
  week: [7 * DAY_S, 28 * DAY_S, 91 * DAY_S],
};
const WHOLE_STEPS = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const compact = new Intl.NumberFormat('en', { notation: 'compact' });

export interface Chart {
  resize(width: number): void;
  destroy(): void;
}

/** Draws into `host`. `onCursor` is told over which row the cursor is, `null` when it has left. */
export function draw(
  host: HTMLElement,
  plot: Plot,
  rows: readonly AnalyticsRow[],
  bucket: Bucket,
  onCursor: (index: number | null) => void,
): Chart {
  const style = getComputedStyle(host);
  const colour = (token: string) => style.getPropertyValue(token).trim();
  const font = `12px ${style.fontFamily}`;
  const times = rows.map((row) => Date.parse(row.start) / 1_000);
  const data: uPlot.AlignedData = [times, ...plot.series.map((series) => rows.map((row) => series.value(row)))];
  const half = BUCKET_MS[bucket] / 2_000;
  const axis = { stroke: colour('--ink-quiet'), font, ticks: { show: false }, border: { show: false } };
  const drawn = new uPlot(
    {
      width: Math.max(1, host.clientWidth),
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
      // Half a bucket more at each end: room for the first and the last bar.
      scales: {
        x: { time: true, range: () => [(times[0] ?? 0) - half, (times.at(-1) ?? 1) + half] },
        y: { range: (_, __, highest) => [0, highest > 0 ? 1.1 * highest : 1] },
      },
      cursor: {
        sync: { key: CURSOR, setSeries: false },
        drag: { x: false, y: false },
        y: false,
        points: { size: 7 },
      },
      hooks: { setCursor: [(self) => onCursor(self.cursor.idx ?? null)] },
      axes: [
        {
          ...axis,
          size: 28,
          space: 56,
          incrs: STEPS[bucket],
          grid: { show: false },
          values: (_, splits) => splits.map((split) => (bucket === 'hour' ? hour : day).format(split * 1_000)),
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          space: 34,
          ...(plot.whole && { incrs: WHOLE_STEPS }),
          grid: { stroke: colour('--line'), width: 1 },
          values: (_, splits) => splits.map((split) => (plot.whole ? compact.format(split) : plot.text(split))),
        },
      ],
      series: [{}, ...plot.series.map((series) => seriesOf(plot, series.dashed === true, colour(series.colour)))],
    },
    data,
    host,
  );
  return {
    resize: (width) => drawn.setSize({ width: Math.max(1, width), height: HEIGHT }),
    destroy: () => drawn.destroy(),
  };
}

function seriesOf(plot: Plot, dashed: boolean, stroke: string): uPlot.Series {
  if (plot.shape === 'lines') {
    // A value between two gaps has no line: its point is all there is to see.
    return { stroke, width: 1.5, spanGaps: false, points: { show: true, size: 4, fill: stroke }, ...(dashed && { dash: [5, 4] }) };
  }
  const paths = uPlot.paths.bars?.({ size: [0.7, 32] });
  return { stroke, fill: stroke, width: 0, points: { show: false }, ...(paths !== undefined && { paths }) };
}
