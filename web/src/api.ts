// The server's HTTP API, as far as the page uses it. Every request has a deadline, and fails with an
// `ApiError`, or with the `AbortError` of the caller's own signal. One for which a token is needed waits until
// there is one, however long that takes.

import { refused, whenAllowed } from './access/asking';
import { accessToken } from './access/token';
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
import { momentWords } from './limits';
import type { SessionId } from './protocol';
import { strings } from './strings';

const DEADLINE_MS = 15_000;
/** A whole session takes longer than a part of one. */
const EXPORT_DEADLINE_MS = 300_000;

/** Why a request was not granted. */
export class ApiError extends Error {
  /** `status` of HTTP, 0 where nobody answered; `code` for a program; the message for a person; `wait`: for how many
   *  milliseconds it is of no use to ask again, where the server says so. */
  constructor(readonly status: number, readonly code: string, message: string, readonly wait?: number) {
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
  deadline?: number;
  /** Another token than that of the tab. Neither this one nor `fails` waits for somebody to sign in. */
  token?: string;
  fails?: boolean;
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

  /** Where a session can be downloaded, for a link: of use only where no token is needed. */
  exportAddress: (id: SessionId, format: ExportFormat) => `${ofSession(id)}/export?format=${format}`,

  export: (id: SessionId, format: ExportFormat) =>
    send(`${ofSession(id)}/export`, { query: { format }, deadline: EXPORT_DEADLINE_MS }),

  /** Asks for a session only to hear whether that is granted. */
  probe: async (id: SessionId) => void (await send(ofSession(id), { fails: true })),

  /** Asks for something that everybody may see who has a good token. */
  tryToken: async (token: string) => void (await send('/api/models', { token })),

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
  const takesToken = path.startsWith('/api/');
  const isOnce = options.token !== undefined || options.fails === true || options.keepalive === true;
  for (;;) {
    if (!isOnce) await whenAllowed(options.signal);
    const token = options.token ?? (takesToken ? accessToken.peek() : null);
    const response = await request(path, options, token);
    const asksForToken = takesToken && response.status === 401 && asksForBearer(response);
    if (asksForToken && options.token === undefined) refused(token);
    if (asksForToken && !isOnce) continue;
    if (!response.ok && response.status !== options.also) throw await refusal(response);
    return response;
  }
}

/** A proxy in front may ask for something else, of which the page knows nothing. */
function asksForBearer({ headers }: Response): boolean {
  return /^bearer\b/i.test(headers.get('www-authenticate') ?? '');
}

async function request(path: string, options: Options, token: string | null): Promise<Response> {
  const { method = 'GET', query = {}, body, keepalive = false, signal, deadline = DEADLINE_MS } = options;
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const tooLate = AbortSignal.timeout(deadline);
  const headers: Record<string, string> = {};
  const init: RequestInit = { method, keepalive, headers, signal: signal ? AbortSignal.any([signal, tooLate]) : tooLate };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers['content-type'] = 'application/json';
  }
  try {
    return await fetch(url, init);
  } catch (error) {
    throw failure(error, signal);
  }
}

/** The caller's own doing stays what it is; everything else is a server that did not answer. */
function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return error;
  return new ApiError(0, 'unreachable', error instanceof Error ? error.message : String(error));
}

async function refusal(response: Response): Promise<ApiError> {
  const { status } = response;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  try {
    const { code, detail } = (await response.json()) as Problem;
    return new ApiError(status, code, inWords(status, detail, wait), wait);
  } catch {
    return new ApiError(status, 'unknown', inWords(status, response.statusText, wait), wait); // Of a proxy, say.
  }
}

/** What the server says, and what that means. */
function inWords(status: number, detail: string, wait: number | undefined): string {
  if (status === 403) return strings.access.forbidden(detail);
  if (status !== 429) return detail;
  return strings.limits.tooMany(detail, wait === undefined ? null : momentWords(Date.now() + wait, Date.now()));
}
