// What a session received and when, in rows: one for each event, except that tokens which follow on
// each other share one. It forgets the oldest rows, so it never grows without end. It is filled from
// the first load on, whether or not anybody looks, so it does little more than keep what comes.

import type { ServerMessage } from '../protocol';

/** What an event is about; the filters go by it. */
export type Kind = 'message' | 'answer' | 'words' | 'tool' | 'session' | 'trouble' | 'other';

/** Rows at most. */
export const MOST_ROWS = 2_000;
/** Events at most, in all rows: runs of tokens would hold many times as many as there are rows. */
export const MOST_EVENTS = 20_000;
/** Events in a row at most. */
export const LONGEST_RUN = 500;

/** One event, or a run of tokens. A run grows in place: who draws it goes by the number of events. */
export interface Row {
  /** Rises with each row. */
  readonly id: number;
  readonly type: string;
  readonly kind: Kind;
  /** At least one. */
  readonly events: ServerMessage[];
  /** When each of them came, in milliseconds since 1970. */
  readonly arrivals: number[];
  /** What a run of tokens says; empty for every other row. */
  text: string;
}

const KINDS: Record<ServerMessage['type'], Kind> = {
  session_started: 'session',
  session_ready: 'session',
  session_ended: 'session',
  session_summary: 'session',
  user_message: 'message',
  accepted: 'message',
  response_started: 'answer',
  response_snapshot: 'answer',
  response_finished: 'answer',
  ai_response: 'answer',
  token: 'words',
  reasoning: 'words',
  tool_call: 'tool',
  tool_approved: 'tool',
  tool_progress: 'tool',
  tool_result: 'tool',
  error: 'trouble',
  notice: 'trouble',
  pong: 'other',
};

export class EventRecord {
  /** From the oldest to the newest. */
  readonly rows: Row[] = [];
  /** When the first event came, forgotten or not: the times of the rows are counted from here. */
  start = 0;
  private events = 0;
  private nextId = 1;
  private readonly watchers = new Set<() => void>();

  add(event: ServerMessage, arrivedAt: number): void {
    if (this.nextId === 1) this.start = arrivedAt;
    const last = this.rows.at(-1);
    const text = wordsOf(event);
    if (last !== undefined && text !== null && continues(last, event)) {
      last.events.push(event);
      last.arrivals.push(arrivedAt);
      last.text += text;
    } else {
      // A newer server may send types that this page does not know.
      const kind = KINDS[event.type] ?? 'other';
      this.rows.push({ id: this.nextId, type: event.type, kind, events: [event], arrivals: [arrivedAt], text: text ?? '' });
      this.nextId += 1;
    }
    this.events += 1;
    this.forget();
    for (const changed of this.watchers) changed();
  }

  /** Tells of every change from now on. Answers with what ends that. */
  watch(changed: () => void): () => void {
    this.watchers.add(changed);
    return () => void this.watchers.delete(changed);
  }

  private forget(): void {
    while (this.rows.length > MOST_ROWS || this.events > MOST_EVENTS) {
      this.events -= this.rows.shift()?.events.length ?? 0;
    }
  }
}

/** What a piece of an answer says; `null` for what is no such piece. */
function wordsOf(event: ServerMessage): string | null {
  return event.type === 'token' || event.type === 'reasoning' ? event.content : null;
}

function continues(row: Row, event: ServerMessage): boolean {
  if (row.type !== event.type || row.events.length >= LONGEST_RUN) return false;
  return responseOf(row.events[0]) === responseOf(event);
}

/** The answer that an event belongs to. */
export function responseOf(event: ServerMessage | undefined): string | undefined {
  return event !== undefined && 'response_id' in event ? event.response_id : undefined;
}
