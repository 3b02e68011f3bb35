// A client of one session: says things, and collects what comes until an answer is over.

import WebSocket from 'ws';

/** How long one answer may take, in milliseconds. */
const ANSWER_DEADLINE = 30_000;

export class Client {
  #socket;
  #events = [];
  #wake = () => {};
  #watchers = new Set();

  /** Opens a session at the server, by default one of its own; how, says `options` (of `ws`). */
  static async connect(url, session = crypto.randomUUID(), options = {}) {
    const client = new Client();
    const address = `${url.replace(/^http/, 'ws')}/ws/session/${session}`;
    client.#socket = new WebSocket(address, options);
    client.#socket.on('message', (text) => {
      client.#events.push(JSON.parse(text));
      client.#wake();
      for (const watch of client.#watchers) watch();
    });
    await new Promise((resolve, reject) => {
      client.#socket.once('open', resolve).once('error', reject);
    });
    return client;
  }

  /** Says something; gives all events up to the stored answer, that included. */
  async ask(content) {
    this.#events = [];
    this.#socket.send(JSON.stringify({ type: 'user_message', content }));
    const deadline = AbortSignal.timeout(ANSWER_DEADLINE);
    await new Promise((resolve, reject) => {
      this.#wake = () => {
        if (this.#events.at(-1).type === 'ai_response') resolve();
      };
      const seen = () => this.#events.map((event) => event.type).join(', ');
      deadline.addEventListener('abort', () => reject(new Error(`no end of the answer after: ${seen()}`)));
    });
    return this.#events;
  }

  /** Waits until such an event has come since the last question. */
  async until(isIt) {
    let watch;
    const deadline = AbortSignal.timeout(ANSWER_DEADLINE);
    await new Promise((resolve, reject) => {
      watch = () => this.#events.some(isIt) && resolve();
      this.#watchers.add(watch);
      deadline.addEventListener('abort', () => reject(new Error('it did not come')));
      watch();
    });
    this.#watchers.delete(watch);
  }

  close() {
    this.#socket.terminate();
  }
}

/** The whole text of an answer as a client that only reads the stream would show it. */
export function shownText(events) {
  let text = '';
  for (const event of events) {
    if (event.type === 'token') text += event.content;
    if (event.type === 'response_snapshot') text = event.content;
  }
  return text;
}
