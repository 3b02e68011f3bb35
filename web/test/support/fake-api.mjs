// The HTTP API of the server that a test plays: it knows the sessions of the fake server, and
// answers everything else as a server does that has nothing to tell. `reply` sets another answer.

const START = '2026-11-21T09:30:00.000Z';
const NOTHING = {
  'GET /api/search': { hits: [], next_cursor: null },
  'GET /api/analytics': { from: START, to: '2026-11-22T09:30:00.000Z', rows: [] },
  'GET /api/models': {
    primary: { provider: 'test', model: 'scripted-1' },
    why: 'the test says so',
    auto: { provider: 'test', why: 'the test says so' },
    fallbacks: [],
    routes: [],
    classifier: null,
    providers: [],
    prices_as_of: '2026-11-01',
    models: [],
  },
  'GET /health': {
    status: 'ok',
    version: '0.0.0',
    uptime_seconds: 60,
    draining: false,
    store: { kind: 'memory', status: 'ok', latency_ms: 1, since: START },
    spool: null,
    recovered: true,
    model: { provider: 'test', model: 'scripted-1' },
    circuits: [],
    sessions: { live: 1 },
    connections: { open: 1 },
  },
};

export class FakeApi {
  /** Every request that came: `{ method, path, query, body, token }`. */
  requests = [];
  #sessions;
  #access;
  #replies = new Map();

  constructor(sessions, access) {
    this.#sessions = sessions;
    this.#access = access;
  }

  reset() {
    this.requests = [];
    this.#replies.clear();
  }

  /** Answers `METHOD /path` with `body`, or with what `body(request)` gives, from now on. */
  reply(endpoint, body, status = 200, headers = {}) {
    this.#replies.set(endpoint, { body, status, headers });
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://localhost');
    let text = '';
    for await (const chunk of request) text += chunk;
    const asked = {
      method: request.method,
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? undefined : JSON.parse(text),
      token: request.headers.authorization,
    };
    this.requests.push(asked);
    const { status, body, headers } = this.#access.refusalOf(request) ?? this.#answerTo(asked);
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  #answerTo(asked) {
    const endpoint = `${asked.method} ${asked.path}`;
    const set = this.#replies.get(endpoint);
    if (set) return { ...set, body: typeof set.body === 'function' ? set.body(asked) : set.body };
    if (endpoint in NOTHING) return { status: 200, body: NOTHING[endpoint] };
    if (endpoint === 'GET /api/sessions') return { status: 200, body: this.#list() };
    const [, id, part = ''] = /^\/api\/sessions\/([^/]+)(?:\/(\w+))?$/.exec(asked.path) ?? [];
    const session = this.#sessions.get(id);
    if (!session || session.log.length === 0) return notFound(endpoint);
    return this.#ofSession(asked, session, part) ?? notFound(endpoint);
  }

  #list() {
    const stored = [...this.#sessions.values()].filter(({ log }) => log.length > 0);
    return { sessions: stored.map(row).reverse(), next_cursor: null };
  }

  #ofSession({ method, query, body }, session, part) {
    if (method === 'GET' && part === 'events') return { status: 200, body: events(session, query) };
    if (part !== '') return undefined;
    if (method === 'PATCH') {
      Object.assign(session.metadata, body.metadata);
      for (const [key, value] of Object.entries(body.metadata)) if (value === null) delete session.metadata[key];
    }
    if (method === 'DELETE') {
      this.#sessions.delete(session.id);
      return { status: 204 };
    }
    return { status: 200, body: row(session) };
  }
}

/** A session as the API tells it. */
function row({ id, log, epoch, metadata }) {
  const last = log.at(-1);
  const ended = last.type === 'session_ended' ? last : null;
  return {
    session_id: id,
    user_id: null,
    created_at: log[0].at,
    start_time: log[0].at,
    updated_at: last.at,
    end_time: ended?.at ?? null,
    is_active: ended === null,
    is_live: ended === null,
    last_seq: log.length,
    epoch,
    metadata,
    metrics: ended?.metrics ?? null,
    summary: ended?.summary ?? null,
  };
}

function events({ id, log, epoch }, { after = '0', limit = '100', type }) {
  const types = type?.split(',');
  const rest = log.filter((event) => event.seq > Number(after) && (types?.includes(event.type) ?? true));
  const page = rest.slice(0, Number(limit));
  const next_after = page.length < rest.length ? page.at(-1).seq : null;
  return { session_id: id, epoch, last_seq: log.length, events: page, next_after };
}

function notFound(endpoint) {
  const detail = `the fake API knows no ${endpoint}`;
  return { status: 404, body: { type: 'about:blank', title: 'Not Found', status: 404, detail, code: 'not_found' } };
}
