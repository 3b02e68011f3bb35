// A row, opened: its event as JSON; a run of tokens one event to a line, the first of them.

import { pretty } from '../format';
import { strings } from '../strings';
import { CopyButton } from '../ui/CopyButton';
import type { Row } from './record';

/** Events of a run that are shown; all of them are copied. */
const MOST_LINES = 100;

export function RawEvent({ row }: { row: Row }) {
  const { events } = row;
  const single = events.length === 1;
  const lines = single ? [pretty(events[0])] : events.map((event) => JSON.stringify(event));
  const rest = lines.length - MOST_LINES;
  return (
    <div class="raw">
      {!single && <p class="text">{row.text}</p>}
      <pre tabIndex={0} role="group" aria-label={strings.inspector.raw(row.type)}>{lines.slice(0, MOST_LINES).join('\n')}</pre>
      <div class="under">
        <span>{rest > 0 && strings.inspector.rest(rest)}</span>
        <CopyButton text={lines.join('\n')} />
      </div>
    </div>
  );
}
