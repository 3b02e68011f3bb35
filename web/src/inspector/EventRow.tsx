// A row of the timeline: when, what, the gist; the whole event where it is open.

import { useMemo } from 'preact/hooks';
import { RawEvent } from './RawEvent';
import type { Row } from './record';
import { brief, offset } from './timeline';

interface EventRowProps {
  row: Row;
  /** When the record begins. */
  start: number;
  open: boolean;
  onToggle(row: Row): void;
}

export function EventRow({ row, start, open, onToggle }: EventRowProps) {
  // The list is drawn with every frame in which something came; most of its rows stay as they are.
  return useMemo(
    () => (
      <li class="event" data-kind={row.kind}>
        <button type="button" class="quiet line" aria-expanded={open} onClick={() => onToggle(row)}>
          <span class="time">{offset(row, start)}</span>
          <span class="type">{row.type}</span>
          <bdi class="brief">{brief(row)}</bdi>
        </button>
        {open && <RawEvent row={row} />}
      </li>
    ),
    [row, row.events.length, start, open, onToggle],
  );
}
