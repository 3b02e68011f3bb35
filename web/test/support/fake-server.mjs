// A server that a test plays by hand: it keeps a log, replays it on attaching, and says nothing
// that the test did not tell it to. It serves the page with the headers of the real one.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';
import { FakeAccess } from './fake-access.mjs';
import { FakeApi } from './fake-api.mjs';

export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types dompurify";

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.txt': 'text/plain' };
/** How long a test waits for a frame of the page, in milliseconds. */
const FRAME_DEADLINE = 15_000;
const LIMITS = {
  max_frame_bytes: 262_144,
  max_content_bytes: 32_768,
  max_metadata_bytes: 4_096,
  max_queued_messages: 8,
};
const METRICS = {
  duration_ms: 61_000,
  user_messages: 1,
  ai_responses: 1,
  tool_calls: 1,
  tool_errors: 0,
  input_tokens: 120,
  output_tokens: 9,
  cost_usd: 0.0001,
  mean_first_token_ms: 212,
};

/** Serves the files of `directory` and the sessions of `server.session(id)` on a free port. */
export async function startFakeServer(directory) {
  const sessions = new Map();
  const session = (id) => {
    if (!sessions.has(id)) sessions.set(id, new FakeSession(id));
    return sessions.get(id);
  };
  const access = new FakeAccess();
  const api = new FakeApi(sessions, access);
  const http = createServer((request, response) => {
    if (/^\/(api\/|health$)/.test(request.url)) void api.answer(request, response);
    else void serveFile(directory, request, response);
  });
  const sockets = new WebSocketServer({ server: http, ...access.socketOptions });
  sockets.on('connection', (socket, request) => {
    const url = new URL(request.url, 'http://localhost');
    session(decodeURIComponent(url.pathname.split('/').at(-1))).attach(socket, url.searchParams);
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    session,
    api,
    access,
    /** Forgets every session, and what was set up of the API. */
    reset() {
      sessions.clear();
      api.reset();
      access.reset();
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function serveFile(directory, request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const path = normalize(pathname === '/' ? '/index.html' : pathname);
  try {
    const bytes = await readFile(join(directory, path));
    response.writeHead(200, {
      'content-type': `${TYPES[extname(path)]}; charset=utf-8`,
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

class FakeSession {
  log = [];
  /** Every frame that came, of whatever connection. */
  received = [];
  /** The `after` of every connection that was made; `null` where it had none. */
  attached = [];
  /** Refuses the upgrade's connection at once, to play a server that is away. */
  away = false;
  /** Answers nothing at all any more, to play a dead network. */
  silent = false;
  epoch = 'epoch-1';
  metadata = {};
  answer = null;
  #sockets = new Set();
  #watchers = new Set();
  #answers = 0;

  constructor(id) {
    this.id = id;
  }

  attach(socket, query) {
    if (this.away) return socket.terminate();
    const after = query.get('after');
    this.attached.push(after === null ? null : Number(after));
    this.#sockets.add(socket);
    const deaf = this.silent;
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('message', (data) => this.#receive(socket, JSON.parse(String(data))));
    if (deaf) return undefined;
    if (this.log.length === 0) this.store('session_started', { user_id: null, metadata: {} });
    const reset = after !== null && query.get('epoch') !== this.epoch;
    this.#send(socket, this.#ready(reset));
    for (const event of this.log) if (reset || event.seq > Number(after ?? 0)) this.#send(socket, event);
    if (this.answer) this.#send(socket, this.answer.snapshot());
    return undefined;
  }

  /** Stores a durable event and sends it to everybody. */
  store(type, fields) {
    const seq = this.log.length + 1;
    const event = { type, seq, event_id: `event-${seq}`, at: '2026-11-21T09:30:00.120Z', ...fields };
    this.log.push(event);
    this.live(event);
    return event;
  }

  /** Sends an event to everybody and keeps nothing. */
  live(event) {
    for (const socket of this.#sockets) this.#send(socket, event);
  }

  /** Cuts every connection without a close frame. */
  cut() {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Closes every connection in order. */
  closeAll(code) {
    for (const socket of this.#sockets) socket.close(code);
  }

  /** The next frame of this type, or one that has come already and was not asked for yet. */
  async next(type) {
    const signal = AbortSignal.timeout(FRAME_DEADLINE);
    for (;;) {
      const frame = this.received.find((candidate) => candidate.type === type && !candidate.seen);
      if (frame) {
        frame.seen = true;
        return frame;
      }
      await new Promise((resolve, reject) => {
        this.#watchers.add(resolve);
        signal.onabort = () => reject(new Error(`the page sent no ${type}`));
      });
    }
  }

  /** Begins to answer a message. */
  startAnswer(messageId, extra = {}) {
    this.#answers += 1;
    this.answer = new FakeAnswer(this, `answer-${this.#answers}`, messageId, extra);
    return this.answer;
  }

  #receive(socket, frame) {
    this.received.push(frame);
    if (!this.silent) this.#react(socket, frame);
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  #react(socket, frame) {
    if (frame.type === 'ping') this.#send(socket, { type: 'pong' });
    if (frame.type === 'user_message') {
      const stored = this.log.find((event) => event.type === 'user_message' && event.id === frame.id);
      if (stored) this.#send(socket, stored);
      else this.store('user_message', { id: frame.id, content: frame.content, metadata: {}, replaces: null });
    }
    if (frame.type === 'cancel') this.answer?.finish('cancelled');
    if (frame.type === 'end') {
      this.store('session_ended', { reason: 'client', summary: 'They talked about sums.', metrics: METRICS });
      this.closeAll(1000);
    }
  }

  #send(socket, event) {
    if (!this.silent) socket.send(JSON.stringify(event));
  }

  #ready(reset) {
    return {
      type: 'session_ready',
      protocol: 1,
      session_id: this.id,
      epoch: this.epoch,
      last_seq: this.log.length,
      reset,
      reopened: false,
      model: 'scripted-1',
      provider: 'test',
      tools: ['calculator'],
      limits: LIMITS,
    };
  }
}

class FakeAnswer {
  #index = -1;
  #parts = [];
  #calls = 0;

  constructor(session, id, messageId, extra) {
    Object.assign(this, { session, id, messageId, extra });
    session.live({
      type: 'response_started',
      response_id: id,
      message_id: messageId,
      model: 'scripted-1',
      provider: 'test',
      route: null,
    });
  }

  get content() {
    return this.#parts.map((part) => part.text ?? '').join('');
  }

  token(content) {
    this.#index += 1;
    const last = this.#parts.at(-1);
    if (last?.text === undefined) this.#parts.push({ text: content });
    else last.text += content;
    this.session.live({ type: 'token', response_id: this.id, index: this.#index, content });
  }

  /** Sends a text in pieces of `length` characters. */
  stream(text, length = 7) {
    for (let at = 0; at < text.length; at += length) this.token(text.slice(at, at + length));
  }

  call(name, args, needsApproval = false) {
    this.#calls += 1;
    const call_id = `${this.id}-call-${this.#calls}`;
    this.#parts.push({ call_id });
    this.session.store('tool_call', {
      response_id: this.id,
      call_id,
      name,
      arguments: args,
      needs_approval: needsApproval,
    });
    return { response_id: this.id, call_id, name, duration_ms: 38 };
  }

  succeed(call, content) {
    this.session.store('tool_result', { ...call, ok: true, content });
  }

  fail(call, error) {
    this.session.store('tool_result', { ...call, ok: false, error });
  }

  snapshot() {
    return {
      type: 'response_snapshot',
      response_id: this.id,
      message_id: this.messageId,
      index: this.#index,
      content: this.content,
      parts: this.#calls > 0 ? this.#parts : [],
    };
  }

  finish(finish_reason = 'stop') {
    this.session.answer = null;
    this.session.live({ type: 'response_finished', response_id: this.id, finish_reason });
    this.session.store('ai_response', {
      response_id: this.id,
      message_id: this.messageId,
      content: this.content,
      ...(this.#calls > 0 && { parts: this.#parts }),
      finish_reason,
      model: 'scripted-1',
      provider: 'test',
      usage: { input_tokens: 120, output_tokens: 9, cached_input_tokens: 0, reasoning_tokens: null },
      cost_usd: 0.0001,
      timing: { first_token_ms: 212, total_ms: 1_950 },
      supersedes: null,
      ...this.extra,
    });
  }
}
