// What the HTTP API answers with, written by hand after docs/openapi.json; a test compares the names
// of all fields. What the WebSocket tells too is in protocol.ts.

import type { DurableEvent, LogEpoch, Metrics, SessionId, Timestamp } from '../protocol';

export type ExportFormat = 'markdown' | 'json' | 'jsonl';

export interface AnalyticsQuery {
  /** RFC 3339. 30 days before `to`, if left out. */
  from?: string;
  /** Now, if left out. */
  to?: string;
  /** An hour, if left out; `all` makes one row. */
  bucket?: 'hour' | 'day' | 'week' | 'month' | 'all';
  /** Some of `provider`, `model`, `route`, joined by commas. */
  group_by?: string;
}

/** A page of the list. */
export interface Sessions {
  /** To be given as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
  /** The sessions, newest first. */
  sessions: StoredSession[];
}

/** A session as it is stored. `Session` is the open one, in session.ts. */
export interface StoredSession {
  /** When it came into being. */
  created_at: Timestamp;
  /** When it was finalized; null while it is active. */
  end_time: Timestamp | null;
  /** Names this incarnation of the log. */
  epoch: LogEpoch;
  /** Whether it is not finalized. */
  is_active: boolean;
  /** Whether this server holds it in memory. */
  is_live: boolean;
  /** The highest `seq` of its log; 0 if there is none. */
  last_seq: number;
  /** The client's own. */
  metadata: Record<string, unknown>;
  /** What it came to, once finalized. */
  metrics: Metrics | null;
  session_id: SessionId;
  /** When it was first opened. */
  start_time: Timestamp;
  /** What was talked about; null where there is no summary (yet). */
  summary: string | null;
  /** Why there is no summary although there should be one; left out where nothing went wrong. */
  summary_error?: string | null;
  /** When it was last changed. */
  updated_at: Timestamp;
  /** The user, where one is known. */
  user_id: string | null;
}

/** A page of a log. */
export interface Events {
  /** Names this incarnation of the log. */
  epoch: LogEpoch;
  /** The events, in order of `seq`. */
  events: DurableEvent[];
  /** The highest `seq` of the log. */
  last_seq: number;
  /** To be given as `after` for the next page; null on the last one. */
  next_after: number | null;
  session_id: SessionId;
}

/** A page of what was found. */
export interface SearchResults {
  /** The hits, best first. */
  hits: SearchHit[];
  /** To be given as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** Something that was said. */
export interface SearchHit {
  /** When it was said. */
  at: Timestamp;
  /** A piece of the text around the first words that match: plain text, in parts. */
  excerpt: ExcerptPart[];
  /** How well it matches; for comparing hits of one search. */
  score: number;
  /** Where it stands in the log. */
  seq: number;
  session_id: SessionId;
  /** The title of the session, where it has one. */
  title: string | null;
  /** `user_message`, `ai_response`, `session_ended` (with its summary) or `session_summary`. */
  type: string;
}

/** A part of an excerpt. */
export interface ExcerptPart {
  /** Whether it is what was searched for. */
  is_match: boolean;
  text: string;
}

/** Figures for each bucket of time and each group in which something happened. */
export interface Analytics {
  from: Timestamp;
  /** In the order of time, then of provider, model and route. */
  rows: AnalyticsRow[];
  to: Timestamp;
}

/** What happened in one bucket, in one group. */
export interface AnalyticsRow {
  /** Answers, however they ended. */
  answers: number;
  /** Answers whose cost is not known. */
  cost_unknown: number;
  /** In US dollars, of the answers whose cost is known; null if that of none is. */
  cost_usd: number | null;
  /** Of these, the ones that failed or were interrupted. */
  failed_answers: number;
  /** To the first token: half of the answers took no longer. */
  first_token_p50_ms: number | null;
  /** 95 of 100 took no longer. */
  first_token_p95_ms: number | null;
  input_tokens: number;
  /** The model, where that is grouped by. */
  model: string | null;
  output_tokens: number;
  /** The provider, where that is grouped by. */
  provider: string | null;
  /** The route, where that is grouped by and one chose the model. */
  route: string | null;
  /** Sessions that began; by groups: sessions with an answer of the group. */
  sessions: number;
  /** Where the bucket begins. */
  start: Timestamp;
  tool_calls: number;
  /** Of these, the ones that failed. */
  tool_failures: number;
  /** To the end of the answer: half took no longer. */
  total_p50_ms: number | null;
  /** 95 of 100 took no longer. */
  total_p95_ms: number | null;
  /** Messages of users; by groups: those that the group answered. */
  user_messages: number;
}

/** Answered where a request is not granted (RFC 9457). */
export interface Problem {
  /** What is the matter, for a program. */
  code: string;
  /** What is the matter, for a person. */
  detail: string;
  /** The fields that are to blame, where some are. */
  errors?: FieldFault[];
  /** The name of the request, as in `x-request-id`. */
  request_id?: string | null;
  /** The status of the answer. */
  status: number;
  /** The status in words. */
  title: string;
  /** Always `about:blank`: `code` tells what happened. */
  type: string;
}

/** A part of the request that is to blame. */
export interface FieldFault {
  /** Name of the field, parameter or header; a path where it stands deeper. */
  field: string;
  /** What is wrong with it. */
  message: string;
}
