// The bar under a stored answer that shows, to scale, when it waited, when a tool ran and when it
// wrote.

import { useMemo } from 'preact/hooks';
import { duration } from '../format';
import type { Answer } from '../state';
import { strings } from '../strings';
import { type Activity, type Segment, segmentsOf, totals } from './segments';

/** The bar's own units; it is as wide as the answer. */
const WIDTH = 1_000;
/** So that what was very short is still seen. */
const NARROWEST = 4;
const ORDER: readonly Activity[] = ['waiting', 'words', 'tool'];

export function Ribbon({ answer: { stored, parts } }: { answer: Answer }) {
  const segments = useMemo(() => segmentsOf({ stored, parts }), [stored, parts]);
  const whole = segments.at(-1)?.to;
  if (whole === undefined) return null;
  return (
    <svg class="ribbon" viewBox={`0 0 ${WIDTH} 6`} preserveAspectRatio="none" role="img" aria-label={inWords(segments)}>
      {segments.map(({ activity, from, to }) => {
        const width = Math.max(NARROWEST, (WIDTH * (to - from)) / whole);
        const x = Math.min(WIDTH - width, (WIDTH * from) / whole);
        return (
          <rect key={from} data-activity={activity} x={x} width={width} height="6">
            <title>{`${strings.ribbon.kinds[activity]} ${duration(to - from)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

/** `Timing: waiting 212 ms, words 1.70 s, tool 38 ms`. */
function inWords(segments: readonly Segment[]): string {
  const sums = totals(segments);
  const told = ORDER.filter((activity) => sums[activity] > 0);
  const words = told.map((activity) => `${strings.ribbon.kinds[activity]} ${duration(sums[activity])}`);
  return `${strings.ribbon.region}: ${words.join(', ')}`;
}
