// What one would write in Node: the part of patter's protocol that the benchmark speaks.
//
// `ws`, the `openai` client, `pg`. A session's messages are kept in memory and stored before they are told.
// One process, as `node` starts by default.

import { randomUUID } from "node:crypto";
import OpenAI from "openai";
import pg from "pg";
import { WebSocketServer } from "ws";

const SCHEMA = `
create table if not exists sessions (
    session_id text primary key,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    last_seq bigint not null
);
create table if not exists events (
    session_id text not null references sessions,
    seq bigint not null,
    type text not null,
    at timestamptz not null default now(),
    payload jsonb not null,
    primary key (session_id, seq)
);
`;

// Named statements are prepared once for each connection.
const BEGIN = {
  name: "begin",
  text: "insert into sessions (session_id, last_seq) values ($1, 0) on conflict do nothing",
};
// One round trip for the row and the counter.
const STORE = {
  name: "store",
  text: `with event as (
      insert into events (session_id, seq, type, payload) values ($1, $2, $3, $4)
    )
    update sessions set last_seq = $2 where session_id = $1`,
};
const END = { name: "end", text: "update sessions set ended_at = now() where session_id = $1" };

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const model = new OpenAI();

class Session {
  seq = 0;
  history = [];
  // Messages are answered one after the other.
  turn = Promise.resolve();

  constructor(socket, sessionId) {
    this.socket = socket;
    this.sessionId = sessionId;
  }

  tell(event) {
    this.socket.send(JSON.stringify(event));
  }

  // Stores an event, then tells it.
  async store(type, payload) {
    this.seq += 1;
    const seq = this.seq;
    await pool.query({ ...STORE, values: [this.sessionId, seq, type, JSON.stringify(payload)] });
    this.tell({ seq, event_id: randomUUID(), at: new Date(), type, ...payload });
  }

  async begin() {
    await pool.query({ ...BEGIN, values: [this.sessionId] });
    this.tell({ type: "session_ready", protocol: 1, session_id: this.sessionId });
    await this.store("session_started", { user_id: null, metadata: {} });
  }

  async answer({ id, content }) {
    await this.store("user_message", { id, content, metadata: {} });
    this.history.push({ role: "user", content });
    const responseId = randomUUID();
    const stream = await model.chat.completions.create({
      model: "bench",
      messages: this.history,
      stream: true,
    });
    this.tell({ type: "response_started", response_id: responseId, message_id: id });
    let index = 0;
    let text = "";
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content;
      if (piece) {
        this.tell({ type: "token", response_id: responseId, index, content: piece });
        index += 1;
        text += piece;
      }
    }
    this.history.push({ role: "assistant", content: text });
    await this.store("ai_response", {
      response_id: responseId,
      message_id: id,
      content: text,
      finish_reason: "stop",
    });
  }
}

await pool.query(SCHEMA);
const server = new WebSocketServer({
  host: process.env.HOST,
  port: Number(process.env.PORT),
  perMessageDeflate: false,
  backlog: 1024,
});
server.on("connection", (socket, request) => {
  const session = new Session(socket, request.url.split("/")[3].split("?")[0]);
  // What goes wrong in a session ends it.
  const next = (work) => {
    session.turn = session.turn.then(work).catch((error) => {
      if (socket.readyState === socket.OPEN) console.error(error);
      socket.terminate();
    });
  };
  next(() => session.begin());
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "user_message") next(() => session.answer(message));
  });
  socket.on("close", () => next(() => pool.query({ ...END, values: [session.sessionId] })));
});
