// The real binary (PATTER_BIN) behind nginx and HAProxy, with the files of `deploy/`: what a proxy and a server
// could read in two ways never slips a request in, and everything works that the documents say does.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startPatter } from '../web/test/support/patter.mjs';
import { Client, shownText } from './client.mjs';
import { NAME, PROXIES } from './proxies.mjs';

const SMUGGLING = '../crates/server/tests/it/hostile/smuggling.json';
const { next, requests } = JSON.parse(await readFile(new URL(SMUGGLING, import.meta.url), 'utf8'));

/** How long something may take that is due at once, in milliseconds. */
const SOON = 5_000;

const start = (settings) =>
  startPatter({
    PATTER_LLM__PROVIDER: 'demo',
    PATTER_DEMO__DELAY_MS: '0',
    PATTER_SERVER__PUBLIC_URL: `https://${NAME}`,
    PATTER_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    PATTER_AUTH__MODE: 'none',
    // Behind a proxy nobody is at this machine, and each input is followed by a session and a message.
    PATTER_LIMITS__MESSAGES_PER_MINUTE: '1000',
    PATTER_LIMITS__MESSAGES_BURST: '1000',
    PATTER_LIMITS__NEW_SESSIONS_PER_ADDRESS: '1000',
    ...settings,
  });

/** A client of the proxy, as a page of its own name would be. */
const connect = (proxy, options = {}) =>
  Client.connect(proxy.url, undefined, {
    ca: proxy.ca,
    servername: NAME,
    headers: { Host: NAME },
    origin: `https://${NAME}`,
    ...options,
  });

const get = (path, fields = '') => `GET ${path} HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n${fields}\r\n`;

const post = (path, body, fields = '') =>
  `POST ${path} HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${body.length}\r\n${fields}\r\n${body}`;

/** The whole answer to a request on a connection of its own. */
async function ask(proxy, request, from) {
  const connection = await proxy.connect(from);
  connection.send(request);
  await connection.until(() => false);
  return connection.text;
}

/** The status and the name of each answer in what was read. */
const answersIn = (text) =>
  [...text.matchAll(/HTTP\/1\.[01] (\d+) [^]*?\r\n\r\n/g)].map(([head, status]) => ({
    status: Number(status),
    id: /x-request-id: (.*)\r/i.exec(head)?.[1],
  }));

/** Tries until this holds, as long as it may take. */
async function eventually(check) {
  const deadline = Date.now() + SOON;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await pause(10);
  }
}

/** How often the server has taken a request, by route; what HAProxy asks by itself is left out. */
async function takenBy(server) {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const taken = {};
  for (const [, route, times] of metrics.matchAll(/^patter_http_requests_total\{route="(\/(?:api|health\b(?!\/ready)).*?)",.*\} (\d+)$/gm)) {
    taken[route] = (taken[route] ?? 0) + Number(times);
  }
  return taken;
}

/**
 * Sends a request and, in it or behind it, another one. Who comes next must get the own answer, and the server
 * must never have taken a request that the proxy has not passed on.
 */
async function slipIn(proxy, taken, input, request) {
  // Ports are used again: what was over before is of another connection.
  const before = (await proxy.seen()).length;
  const connection = await proxy.connect();
  connection.send(request.includes('{next}') ? request.replace('{next}', next) : request + next);
  // Where the proxy reads two requests, the other one is answered as well, and nothing follows.
  await connection.until((text) => text.includes('smuggled'));
  const victim = answersIn(await ask(proxy, get('/api/models', 'X-Request-Id: victim\r\n')));
  assert.deepEqual(victim, [{ status: 200, id: 'victim' }], `${input}: who comes next`);
  connection.close();

  await eventually(async () => {
    const seen = await proxy.seen();
    const here = seen.slice(before).filter(({ port, request }) => port === connection.port && !request.includes('/ws/'));
    const answers = answersIn(connection.text);
    assert.deepEqual(answers.map(({ status }) => status), here.map(({ status }) => status), `${input}: one answer each`);
    const passed = {};
    for (const { request } of seen.filter(({ isPassedOn }) => isPassedOn)) {
      const path = request.split(' ')[1];
      passed[path] = (passed[path] ?? 0) + 1;
    }
    for (const [path, times] of Object.entries(await taken())) {
      assert.ok(times <= (passed[path] ?? 0), `${input}: a request for ${path} that the proxy has not passed on`);
    }
  });
}

for (const [name, startProxy] of Object.entries(PROXIES)) {
  describe(`behind ${name}`, () => {
    let server, proxy;

    before(async () => {
      server = await start();
      proxy = await startProxy(new URL(server.url).host);
    });
    after(async () => {
      await proxy?.stop();
      await server?.stop();
    });

    const takesATurn = async () => {
      const client = await connect(proxy);
      const events = await client.ask('What is 15% of 240?');
      client.close();
      assert.equal(events.at(-1).finish_reason, 'stop');
      assert.equal(shownText(events), events.at(-1).content);
    };

    // Input 29, through proxies.
    test('no request is slipped in by one whose end is in doubt', async () => {
      for (const { input, request } of requests) {
        await slipIn(proxy, () => takenBy(server), input, request);
        await takesATurn();
      }
      assert.equal((await takenBy(server))['/api/models'], requests.length);
    });

    test('a page of its own name may connect, and one of another may not', async () => {
      await takesATurn();
      await assert.rejects(connect(proxy, { origin: 'https://evil.example' }), /403/);
    });

    test('a large file reaches the server', async () => {
      const answer = await ask(proxy, post('/api/import', ' '.repeat(2 << 20)));
      assert.match(answer, /^HTTP\/1.1 4\d\d [^]*application\/problem\+json/);
    });
  });

  describe(`behind ${name}, with settings of its own`, () => {
    test('a stream of events is passed on as it comes', async () => {
      const server = await start({ PATTER_DEMO__DELAY_MS: '200' });
      const proxy = await startProxy(new URL(server.url).host);
      try {
        const connection = await proxy.connect();
        const question = JSON.stringify({ content: 'What is 15% of 240?' });
        connection.send(post(`/api/sessions/${crypto.randomUUID()}/messages`, question, 'Accept: text/event-stream\r\n'));
        await connection.until((text) => text.includes('"type":"token"'));
        assert.doesNotMatch(connection.text, /"type":"ai_response"/, 'the first token came with the last');
        await connection.until((text) => text.includes('"type":"ai_response"'));
        assert.match(connection.text, /"finish_reason":"stop"/);
        connection.close();
      } finally {
        await proxy.stop();
        await server.stop();
      }
    });

    test('callers are told apart by their addresses, whatever they say themselves', async () => {
      const server = await start({ PATTER_LIMITS__EXEMPT: '192.0.2.1', PATTER_LIMITS__NEW_SESSIONS_PER_ADDRESS: '2' });
      const proxy = await startProxy(new URL(server.url).host);
      try {
        const make = async (from, fields) => answersIn(await ask(proxy, post('/api/sessions', '{}', fields), from))[0].status;
        const forged = 'X-Forwarded-For: 192.0.2.7\r\n';
        assert.deepEqual([await make('127.0.0.2'), await make('127.0.0.2'), await make('127.0.0.2', forged)], [201, 201, 429]);
        assert.equal(await make('127.0.0.3'), 201);
      } finally {
        await proxy.stop();
        await server.stop();
      }
    });
  });

  test(`behind ${name}, a server that reads another request than the proxy would be found`, async () => {
    const taken = {};
    // To it, no request has a body: what should be one is the next request.
    const naive = createServer((socket) => {
      let text = '';
      socket.on('error', () => {}).setEncoding('latin1').on('data', (piece) => {
        text += piece;
        const heads = text.split('\r\n\r\n');
        text = heads.pop();
        for (const head of heads) {
          const path = head.split(' ')[1];
          taken[path] = (taken[path] ?? 0) + 1;
          const id = /x-request-id: (.*)/i.exec(head)?.[1] ?? 'none';
          socket.write(`HTTP/1.1 200 OK\r\nX-Request-Id: ${id}\r\nContent-Length: 0\r\n\r\n`);
        }
      });
    }).listen(0, '127.0.0.1');
    await once(naive, 'listening');
    const proxy = await startProxy(`127.0.0.1:${naive.address().port}`);
    try {
      const request = `POST /api/sessions HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: ${next.length}\r\n\r\n{next}`;
      const attempt = slipIn(proxy, async () => ({ ...taken }), 'a length', request + get('/api/models'));
      await assert.rejects(attempt, /who comes next|one answer each|has not passed on/);
    } finally {
      await proxy.stop();
      naive.close();
    }
  });
}
