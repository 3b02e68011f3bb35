// A provider that a test plays by hand: it speaks Chat Completions to the real server, and says what it is told.

import { createServer } from 'node:http';

/** How long a test waits to be asked, in milliseconds. */
const DEADLINE = 15_000;

/** Starts it on a free port. `settings` are the variables with which the server talks to it. */
export async function startUpstream() {
  const waiting = [];
  const watchers = new Set();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    waiting.push(new Asked(JSON.parse(text), response));
    for (const wake of watchers) wake();
    watchers.clear();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    settings: {
      PATTER_LLM__PROVIDER: 'openai',
      PATTER_LLM__RETRIES: '0',
      OPENAI_API_KEY: 'mock',
      OPENAI_BASE_URL: `http://127.0.0.1:${server.address().port}/v1`,
    },
    /** The next request that is to be answered. */
    async asked() {
      const signal = AbortSignal.timeout(DEADLINE);
      while (waiting.length === 0) {
        await new Promise((resolve, reject) => {
          watchers.add(resolve);
          signal.onabort = () => reject(new Error('the server asked no model'));
        });
      }
      return waiting.shift();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A request, and the way to answer it. */
class Asked {
  constructor(body, response) {
    this.body = body;
    this.response = response;
  }

  text(content) {
    this.#send({ content });
  }

  call(name, args) {
    const call = { index: 0, id: 'call-1', type: 'function', function: { name, arguments: JSON.stringify(args) } };
    this.#send({ tool_calls: [call] });
    this.finish('tool_calls');
  }

  finish(finish_reason = 'stop') {
    this.#send({}, finish_reason);
    this.response.end('data: [DONE]\n\n');
  }

  fail(status, message) {
    this.response.writeHead(status, { 'content-type': 'application/json' });
    this.response.end(JSON.stringify({ error: { message, type: 'server_error' } }));
  }

  breakOff() {
    this.response.destroy();
  }

  #send(delta, finish_reason = null) {
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'played', choices: [{ index: 0, delta, finish_reason }] };
    this.response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
}
