// What the page knows of a conversation, and how each event changes it.
//
// `apply` is a pure function and touches neither the page nor the clock: the same events give the
// same state. Parts of the state that an event does not concern keep their identity, so that the
// page draws again only what changed.

import * as answers from './state/answer';
import type { Answer } from './state/answer';
import { merge } from './state/merge';
import { insert } from './state/order';
import { markReplaced } from './state/replaced';
import { isSaid, putSaid } from './state/said';
import type {
  DurableEvent,
  ErrorEvent,
  MessageId,
  Metrics,
  EndReason,
  Notice,
  ServerMessage,
  SessionReady,
  SessionEnded,
  Timestamp,
  UserMessage,
} from './protocol';

export type { Answer } from './state/answer';
export type { Part, ToolState } from './state/parts';

/** How far a message has come: written here, safe on the server's disk, stored, or refused. */
export type Delivery = 'waiting' | 'spooled' | 'stored' | 'refused';

/** Where a stored event stands in the log, and when it happened. */
export interface Stored {
  seq: number;
  at: Timestamp;
}

/** What the user said. */
export interface Said {
  kind: 'said';
  id: MessageId;
  content: string;
  delivery: Delivery;
  /** Where it is stored; `null` before it is. */
  stored: Stored | null;
  /** The message whose place it takes, if it is an edit. */
  replaces: MessageId | null;
  /** Why it was refused. */
  error?: ErrorEvent;
  /** An edit has taken its place. */
  superseded: boolean;
}

/** The end of a session; more may follow, since a session can be reopened. */
export interface Closing {
  kind: 'closing';
  /** `seq` and `at` of the `session_ended` event. */
  seq: number;
  at: Timestamp;
  reason: EndReason;
  summary: string | null;
  /** `seq` of the summary, if it came late. */
  summarized: number | null;
  metrics: Metrics;
}

/** A summary that came after the end of the session. */
export interface LateSummary {
  seq: number;
  summary: string;
}

export type Entry = Said | Answer | Closing;

export interface State {
  /** What the server said of itself and the session; `null` before the first connection. */
  session: SessionReady | null;
  /** The conversation from top to bottom; `state/order.ts` says in which order. */
  entries: readonly Entry[];
  /** Summaries of ends that stand in a part of the log that is not shown, as they came. */
  summaries: readonly LateSummary[];
  /** What a person would want to know, one of each code. */
  notices: readonly Notice[];
  /** What was asked for last and did not happen, where it belongs to no entry. */
  problem: ErrorEvent | null;
  /** The log's last word is that the session ended. */
  ended: boolean;
}

export const emptyState: State = {
  session: null,
  entries: [],
  summaries: [],
  notices: [],
  problem: null,
  ended: false,
};

/** The state after an event of the server. Types it does not know change nothing. */
export function apply(state: State, event: ServerMessage): State {
  switch (event.type) {
    case 'session_ready':
      // What still holds of the notices is told again.
      return { ...(event.reset ? forgetLog(state) : state), session: event, problem: null, notices: [] };
    case 'session_started':
      return { ...state, ended: false };
    case 'user_message':
      return storeMessage(state, event);
    case 'accepted':
      return updateSaid(state, event.id, (said) => ({ ...said, delivery: 'spooled' }));
    case 'response_started':
    case 'response_snapshot':
    case 'token':
    case 'reasoning':
    case 'tool_call':
    case 'tool_approved':
    case 'tool_result':
    case 'tool_progress':
    case 'response_finished':
      return withEntries(state, answers.update(state.entries, event));
    case 'ai_response':
      return withEntries(state, markReplaced(answers.update(state.entries, event)));
    case 'error':
      return fail(state, event);
    case 'session_ended':
      if (state.entries.some((entry) => entry.kind === 'closing' && entry.seq === event.seq)) return state;
      return { ...state, ended: true, entries: insert(state.entries, closing(event)) };
    case 'session_summary':
      return addLateSummary(state, event);
    case 'notice':
      return { ...state, notices: notify(state.notices, event) };
    default:
      return state;
  }
}

/** The state after the user wrote a message, or asked to send a refused one again. */
export function say(state: State, id: MessageId, content: string, replaces: MessageId | null = null): State {
  const said: Said = { kind: 'said', id, content, delivery: 'waiting', stored: null, replaces, superseded: false };
  const others = state.entries.filter((entry) => !isSaid(entry, id));
  return { ...state, entries: putSaid(others, said), problem: null };
}

/** The state without a message that the server did not take. */
export function unsay(state: State, id: MessageId): State {
  return { ...state, entries: state.entries.filter((entry) => !isSaid(entry, id)) };
}

/** The state with an earlier part of the log in front of what is shown. */
export function prepend(state: State, events: readonly DurableEvent[]): State {
  const read = events.reduce<State>(apply, emptyState);
  const { entries, summaries } = state.summaries.reduce(addLateSummary, read);
  return { ...state, entries: merge(entries, state.entries), summaries };
}

/** Tells entries apart. */
export function keyOf(entry: Entry): string {
  return entry.kind === 'closing' ? `closing ${entry.seq}` : `${entry.kind} ${entry.id}`;
}

/** The last message of the user that counts; only it can be replaced. */
export function lastSaid(state: State): Said | undefined {
  const last = state.entries.findLast(
    (entry) => entry.kind === 'said' && !entry.superseded && entry.delivery !== 'refused',
  );
  return last?.kind === 'said' ? last : undefined;
}

/** Whether an answer is being written, or is to come. */
export function isAnswering(state: State): boolean {
  return isWriting(state) || answers.oldestUnanswered(state.entries) !== null;
}

/** Whether the server has a message to whose answer no model has said anything yet. */
export function isAwaiting(state: State): boolean {
  return !isWriting(state) && answers.oldestUnanswered(state.entries) !== null;
}

function isWriting(state: State): boolean {
  return state.entries.some((entry) => entry.kind === 'answer' && entry.finish === null);
}

function withEntries(state: State, entries: readonly Entry[]): State {
  return entries === state.entries ? state : { ...state, entries };
}

/** The server's log is not the one that was shown: only what it has not taken stays. */
function forgetLog(state: State): State {
  const unsent = state.entries.filter(
    (e) => e.kind === 'said' && (e.delivery === 'waiting' || e.delivery === 'refused'),
  );
  return { ...state, entries: unsent, summaries: [], ended: false };
}

function storeMessage(state: State, event: UserMessage & Stored): State {
  const { id, content, replaces, seq, at } = event;
  const said: Said = { kind: 'said', id, content, delivery: 'stored', stored: { seq, at }, replaces, superseded: false };
  return withEntries(state, markReplaced(putSaid(state.entries, said)));
}

function updateSaid(state: State, id: MessageId, change: (said: Said) => Said): State {
  const said = state.entries.find((entry) => isSaid(entry, id));
  return said === undefined ? state : withEntries(state, putSaid(state.entries, change(said)));
}

/** An error belongs to an answer, else to a message that was not taken, else to nobody. */
function fail(state: State, error: ErrorEvent): State {
  if (error.code === 'nothing_to_cancel') return state; // The answer ended while Stop was pressed.
  if (error.response_id !== undefined) {
    return withEntries(state, answers.fail(state.entries, error.response_id, error));
  }
  const refused = state.entries.some(
    (e) => e.kind === 'said' && e.id === error.message_id && e.delivery !== 'stored',
  );
  if (error.message_id === undefined || !refused) return { ...state, problem: error };
  return updateSaid(state, error.message_id, (said) => ({ ...said, delivery: 'refused', error }));
}

function closing(event: SessionEnded & Stored): Closing {
  const { seq, at, reason, summary, metrics } = event;
  return { kind: 'closing', seq, at, reason, summary, summarized: null, metrics };
}

/** A summary that came late belongs to the last end of the session that has none. */
function addLateSummary(state: State, { seq, summary }: LateSummary): State {
  const index = state.entries.findLastIndex((e) => e.kind === 'closing' && e.summary === null);
  const entry = state.entries[index];
  if (entry?.kind !== 'closing') return { ...state, summaries: [...state.summaries, { seq, summary }] };
  return { ...state, entries: state.entries.with(index, { ...entry, summary, summarized: seq }) };
}

/** The store's recovery ends the notice of its trouble. */
function notify(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  const ends = notice.code === 'store_recovered' ? 'store_degraded' : notice.code;
  const others = notices.filter(({ code }) => code !== ends && code !== notice.code);
  return notice.code === 'store_recovered' ? others : [...others, notice];
}
