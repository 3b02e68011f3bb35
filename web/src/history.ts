// What the server has stored of a session, read without connecting to it: a connection would begin a session
// anew that is over. The newest part is read first, whatever the length of the log.

import { api, ApiError } from './api';
import type { DurableEvent, LogEpoch, SessionId } from './protocol';

/** So many events are shown more. */
const PART = 200;
/** So many events are read at a time, where a part far back is asked for: as many as the server gives. */
const PAGE = 1_000;

/** The newest part of a log. */
export interface Tail {
  epoch: LogEpoch;
  events: DurableEvent[];
  /** Whether there is more in front of `events`. */
  isCut: boolean;
  /** `seq` of the last event that there is. */
  lastSeq: number;
  /** Whether the session is not finalized. */
  isActive: boolean;
}

/** The newest part of a session's log; `null` where there is no such session, or nobody who answers. */
export async function readTail(id: SessionId): Promise<Tail | null> {
  try {
    const session = await api.session(id);
    const after = Math.max(0, session.last_seq - PART);
    const { events } = await readRange(id, after, session.last_seq);
    return {
      epoch: session.epoch,
      events: fromFirstMessage(events, after),
      isCut: after > 0,
      lastSeq: events.at(-1)?.seq ?? 0,
      isActive: session.is_active,
    };
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

/** The part in front of the event `before`, from somewhat before the event `wanted` on, and whether there is more
 *  in front of that. */
export async function readEarlier(
  id: SessionId,
  before: number,
  wanted: number,
): Promise<{ epoch: LogEpoch | null; events: DurableEvent[]; isCut: boolean }> {
  let read: DurableEvent[] = [];
  let last = before - 1;
  for (;;) {
    const after = Math.max(0, Math.min(wanted, last) - PART);
    const { epoch, events } = await readRange(id, after, last);
    read = [...events, ...read];
    const part = fromFirstMessage(read, after);
    const hasWanted = part[0] !== undefined && part[0].seq <= wanted;
    if (hasWanted || after === 0) return { epoch, events: part, isCut: after > 0 };
    last = after;
  }
}

/** The events behind `after` up to `last`: a page may end early, since its size is bounded too. */
async function readRange(
  id: SessionId,
  after: number,
  last: number,
): Promise<{ epoch: LogEpoch | null; events: DurableEvent[] }> {
  const events: DurableEvent[] = [];
  let epoch: LogEpoch | null = null;
  let next: number | null = after;
  while (next !== null && next < last) {
    const page = await api.events(id, { after: next, limit: Math.min(PAGE, last - next) });
    events.push(...page.events);
    epoch = page.epoch;
    next = page.next_after;
  }
  return { epoch, events };
}

/** A part begins with a message, where there is one in it: half an answer at the top is no good beginning. */
function fromFirstMessage(events: DurableEvent[], after: number): DurableEvent[] {
  const first = events.findIndex(({ type }) => type === 'user_message');
  return after === 0 || first <= 0 ? events : events.slice(first);
}
