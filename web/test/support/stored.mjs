// Stored sessions and hits of a search, as the HTTP API tells them.

const DAY_MS = 86_400_000;

/** A session that began `daysAgo` days ago, at noon by the clock here. */
export function stored(id, { daysAgo = 0, ...fields } = {}) {
  const began = new Date(Date.now() - daysAgo * DAY_MS);
  began.setHours(12, 0, 0, 0);
  const at = began.toISOString();
  return {
    session_id: id,
    user_id: null,
    created_at: at,
    start_time: at,
    updated_at: at,
    end_time: at,
    is_active: false,
    is_live: false,
    last_seq: 5,
    epoch: 'epoch-1',
    metadata: {},
    metrics: null,
    summary: null,
    ...fields,
  };
}

/** Lets the API tell of these sessions, and change and delete them. */
export function store(api, ...sessions) {
  const rows = new Map(sessions.map((session) => [session.session_id, session]));
  api.reply('GET /api/sessions', () => ({ sessions: [...rows.values()], next_cursor: null }));
  for (const id of rows.keys()) {
    api.reply(`GET /api/sessions/${id}`, () => rows.get(id));
    api.reply(`PATCH /api/sessions/${id}`, ({ body }) => {
      const metadata = { ...rows.get(id).metadata, ...body.metadata };
      for (const [key, value] of Object.entries(metadata)) if (value === null) delete metadata[key];
      rows.set(id, { ...rows.get(id), metadata });
      return rows.get(id);
    });
    api.reply(`DELETE /api/sessions/${id}`, () => void rows.delete(id), 204);
  }
  return rows;
}

/** A hit whose excerpt is `[before, match, after]`. */
export function hit(session_id, seq, [before, match, after], fields = {}) {
  const excerpt = [before, match, after].map((text, index) => ({ text, is_match: index === 1 }));
  return { session_id, seq, type: 'user_message', title: null, at: '2026-11-21T09:30:00Z', score: 1, excerpt, ...fields };
}

/** The requests of this method and path that came. */
export function asked(api, method, path) {
  return api.requests.filter((request) => request.method === method && request.path === path);
}

/** Once such a request has come, the first one. */
export async function untilAsked(api, method, path) {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const [first] = asked(api, method, path);
    if (first !== undefined) return first;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nobody asked for ${method} ${path}`);
}
