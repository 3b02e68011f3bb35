// One of the plots, with its title and its legend, which tells the figures under the cursor.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AnalyticsRow } from '../api/types';
import { strings } from '../strings';
import { shownTheme } from '../theme';
import { type Chart, draw } from './chart';
import type { Bucket } from './figures';
import type { Plot, Series } from './multiples';
import { time } from './words';

interface MultipleProps {
  plot: Plot;
  rows: readonly AnalyticsRow[];
  bucket: Bucket;
}

export function Multiple({ plot, rows, bucket }: MultipleProps) {
  const host = useRef<HTMLDivElement>(null);
  const [index, setIndex] = useState<number | null>(null);
  const theme = shownTheme.value;
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const chart: Chart = draw(element, plot, rows, bucket, setIndex);
    const observer = new ResizeObserver(() => chart.resize(element.clientWidth));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [plot, rows, bucket, theme]);

  const row = index === null ? undefined : rows[index];
  return (
    <figure class="multiple">
      <figcaption>
        <h3>{plot.title}</h3>
        {row !== undefined && <span class="when">{time(Date.parse(row.start), bucket)}</span>}
        <ul>
          {plot.series.map((series) => (
            <li key={series.name}>
              <Swatch series={series} />
              {series.name} {row !== undefined && <b>{valueText(plot, series.value(row))}</b>}
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="plot" ref={host} role="img" aria-label={strings.analytics.peak(plot.title, peak(plot, rows))} />
    </figure>
  );
}

function Swatch({ series }: { series: Series }) {
  return (
    <svg class="swatch" viewBox="0 0 16 8" width="16" height="8" aria-hidden="true" data-colour={series.colour}>
      <path d="M0 4h16" stroke-dasharray={series.dashed === true ? '5 4' : undefined} />
    </svg>
  );
}

function valueText(plot: Plot, value: number | null): string {
  return value === null ? '–' : plot.text(value);
}

/** The highest figure of each series: `in 1,200, out 90`. */
function peak(plot: Plot, rows: readonly AnalyticsRow[]): string {
  const highest = (series: Series) => {
    const known = rows.map(series.value).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return plot.series.map((series) => `${series.name} ${valueText(plot, highest(series))}`).join(', ');
}
