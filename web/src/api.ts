// The server's HTTP API, as far as the page uses it. Every request has a deadline, and fails with an
// `ApiError`, or with the `AbortError` of the caller's own signal.

import type { Health, Models } from './api/server';
import type {
  Analytics,
  AnalyticsQuery,
  Events,
  ExportFormat,
  Problem,
  SearchResults,
  Sessions,
  StoredSession,
} from './api/types';
import type { SessionId } from './protocol';

const DEADLINE_MS = 15_000;

/** Why a request was not granted. */
export class ApiError extends Error {
  /** `status` of HTTP, 0 where nobody answered; `code` for a program; the message for a person. */
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

interface Options {
  method?: 'GET' | 'PATCH' | 'DELETE';
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Sent also when the page is left in the meantime. */
  keepalive?: boolean;
  /** A status that is no failure, although it is none of success. */
  also?: number;
}

export const api = {
  /** Newest first, a page at a time. */
  sessions: (query: { limit: number; cursor?: string }) => json<Sessions>('/api/sessions', { query }),

  session: (id: SessionId) => json<StoredSession>(ofSession(id)),

  /** Merges into the session's metadata (`title`, `tags`); `null` takes a key away. */
  change: (id: SessionId, metadata: Record<string, unknown>) =>
    json<StoredSession>(ofSession(id), { method: 'PATCH', body: { metadata } }),

  /** At once and for good. */
  remove: async (id: SessionId, { keepalive = false } = {}) => {
    await send(ofSession(id), { method: 'DELETE', keepalive });
  },

  /** The durable events after `after`, a page at a time. */
  events: (id: SessionId, query: { after: number; limit: number }) => json<Events>(`${ofSession(id)}/events`, { query }),

  /** Where a session can be downloaded, for a link. */
  exportAddress: (id: SessionId, format: ExportFormat) => `${ofSession(id)}/export?format=${format}`,

  search: (query: { q: string; limit: number; cursor?: string }, signal?: AbortSignal) =>
    json<SearchResults>('/api/search', { query, signal }),

  analytics: (query: AnalyticsQuery, signal?: AbortSignal) =>
    json<Analytics>('/api/analytics', { query: { ...query }, signal }),

  models: () => json<Models>('/api/models'),

  /** Answers also when the server is not well, which is then what it says. */
  health: (signal?: AbortSignal) => json<Health>('/health', { signal, also: 503 }),
};

function ofSession(id: SessionId): string {
  return `/api/sessions/${encodeURIComponent(id)}`;
}

/** The types are trusted as those of the WebSocket are: both come with the page, from one server. */
async function json<T>(path: string, options: Options = {}): Promise<T> {
  const response = await send(path, options);
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw failure(error, options.signal);
  }
}

async function send(path: string, options: Options): Promise<Response> {
  const { method = 'GET', query = {}, body, keepalive = false, signal, also } = options;
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const request: RequestInit = { method, keepalive, signal: signal ? AbortSignal.any([signal, deadline]) : deadline };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { 'content-type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    throw failure(error, signal);
  }
  if (!response.ok && response.status !== also) throw await refusal(response);
  return response;
}

/** The caller's own doing stays what it is; everything else is a server that did not answer. */
function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return error;
  return new ApiError(0, 'unreachable', error instanceof Error ? error.message : String(error));
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as Problem;
    return new ApiError(response.status, problem.code, problem.detail);
  } catch {
    return new ApiError(response.status, 'unknown', response.statusText); // Of a proxy, say.
  }
}
