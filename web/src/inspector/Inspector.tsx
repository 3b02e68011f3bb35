// What a session receives, event by event, in the column at the right or its drawer. Loaded when it
// is first shown. However fast events come, it is drawn at most once per frame, with at most 200 rows.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { oncePerFrame } from '../frame';
import { inspectorPanel } from '../panels';
import type { Session } from '../session';
import { strings } from '../strings';
import { Panel } from '../ui/Panel';
import { EventRow } from './EventRow';
import { hidden, stepped, windowOf, withoutHidden } from './filters';
import { Numbers } from './Numbers';
import type { EventRecord, Row } from './record';
import { Tools } from './Tools';
import { recordOf } from './watch';

/** What is within this many pixels of the end is at the end. */
const AT_END = 4;

export function Inspector({ session }: { session: Session }) {
  return (
    <Panel state={inspectorPanel} name="inspector" label={strings.inspector.region}>
      <Inspection record={recordOf(session)} />
    </Panel>
  );
}

function Inspection({ record }: { record: EventRecord }) {
  const [, drawAgain] = useState({});
  /** The row that the window stays at; `null` while it follows the newest. */
  const [end, setEnd] = useState<number | null>(null);
  const [open, setOpen] = useState<number | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  useEffect(() => record.watch(oncePerFrame(() => drawAgain({}))), [record]);

  const all = withoutHidden(record.rows, hidden.value);
  const shown = windowOf(all, end);
  const newest = shown.rows.at(-1)?.id ?? null;
  const latestNewest = useRef(newest);
  latestNewest.current = newest;
  const live = end === null;

  useLayoutEffect(() => {
    const element = list.current;
    if (element !== null && live) element.scrollTop = element.scrollHeight;
  });
  const hold = useCallback(() => setEnd((held) => held ?? latestNewest.current), []);
  const toggle = useCallback((row: Row) => {
    hold(); // What somebody reads must not move away.
    setOpen((opened) => (opened === row.id ? null : row.id));
  }, []);
  // Rows that come do not scroll up; a reader does.
  const onScroll = () => {
    const element = list.current;
    if (element === null) return;
    const wentUp = element.scrollTop < lastTop.current;
    lastTop.current = element.scrollTop;
    if (wentUp && element.scrollHeight - element.clientHeight - element.scrollTop > AT_END) hold();
  };

  return (
    <div class="inspection">
      <Tools rows={all} live={live} onLive={(run) => setEnd(run ? null : newest)} />
      <Numbers rows={record.rows} />
      <div class="events" ref={list} tabIndex={0} role="region" aria-label={strings.inspector.events} onScroll={onScroll}>
        {all.length === 0 && <p class="empty">{strings.inspector.empty}</p>}
        {shown.before > 0 && (
          <button type="button" class="quiet step" onClick={() => setEnd(stepped(all, shown, -1))}>
            {strings.inspector.before(shown.before)}
          </button>
        )}
        <ol>
          {shown.rows.map((row) => (
            <EventRow key={row.id} row={row} start={record.start} open={row.id === open} onToggle={toggle} />
          ))}
        </ol>
        {shown.after > 0 && (
          <button type="button" class="quiet step" onClick={() => setEnd(stepped(all, shown, 1))}>
            {strings.inspector.after(shown.after)}
          </button>
        )}
      </div>
    </div>
  );
}
