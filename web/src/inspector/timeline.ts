// What a row of the inspector says: when, what, and in one line the gist of it; and the rows as
// lines of JSON, to be taken elsewhere.

import { counted, duration } from '../format';
import type { ServerMessage } from '../protocol';
import { strings } from '../strings';
import type { Row } from './record';

const { nouns, inspector: { gist: words } } = strings;
/** Characters of a line at most; the rest is in the raw event. */
const LONGEST_LINE = 160;

/** The time from `start` to the row's first event: `+0.213`, `+1:02.040`. */
export function offset(row: Row, start: number): string {
  const passed = Math.max(0, Math.round((row.arrivals[0] ?? start) - start));
  const minutes = Math.floor(passed / 60_000);
  const seconds = ((passed % 60_000) / 1_000).toFixed(3);
  return minutes === 0 ? `+${seconds}` : `+${minutes}:${seconds.padStart(6, '0')}`;
}

/** The gist of a row, on one line. */
export function brief(row: Row): string {
  const [event] = row.events;
  if (event === undefined) return '';
  return onOneLine(row.text === '' ? gist(event) : `${run(row)} · ${row.text.slice(0, LONGEST_LINE)}`);
}

function run(row: Row): string {
  const span = (row.arrivals.at(-1) ?? 0) - (row.arrivals[0] ?? 0);
  return words.run(counted(row.events.length, row.type === 'token' ? nouns.token : nouns.thought), duration(span));
}

function gist(event: ServerMessage): string {
  switch (event.type) {
    case 'session_ready':
      return [`${event.provider} ${event.model}`, counted(event.last_seq, nouns.storedEvent), ...(event.reset ? [words.reset] : [])].join(' · ');
    case 'user_message':
      return event.content;
    case 'response_started':
      return `${event.provider} ${event.model}`;
    case 'response_snapshot':
      return `${words.upTo(event.index)} · ${event.content.slice(0, LONGEST_LINE)}`;
    case 'tool_call':
      return `${event.name} ${JSON.stringify(event.arguments)}`;
    case 'tool_result':
      return `${event.name} ${event.ok ? words.ok : (event.error?.code ?? words.failed)} · ${duration(event.duration_ms)}`;
    case 'response_finished':
      return event.finish_reason;
    case 'ai_response':
      return `${event.finish_reason} · ${duration(event.timing.total_ms)} · ${event.content.slice(0, LONGEST_LINE)}`;
    case 'error':
    case 'notice':
      return `${event.code} · ${event.message}`;
    case 'session_ended':
      return event.reason;
    case 'session_summary':
      return event.summary ?? '';
    default:
      return '';
  }
}

function onOneLine(text: string): string {
  const line = text.slice(0, 2 * LONGEST_LINE).replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

/** One line for each event: when it came, and the event as it came. */
export function toJsonLines(rows: readonly Row[]): string {
  return rows.flatMap((row) => row.events.map((event, index) => jsonLine(event, row.arrivals[index] ?? 0))).join('\n');
}

function jsonLine(event: ServerMessage, arrivedAt: number): string {
  return JSON.stringify({ received_at: new Date(arrivedAt).toISOString(), event });
}
