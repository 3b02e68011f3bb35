// The connection: when it comes back, what it asks for then, and what it sends again.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { load } from './support/bundle.mjs';
import { FakeSocket, FakeStorage, listeners } from './support/fake-page.mjs';

const { SessionSocket } = await load('src/socket.ts');
const { Outbox } = await load('src/outbox.ts');

const READY = { type: 'session_ready', epoch: 'e1', last_seq: 0, reset: false, limits: { max_content_bytes: 16, max_frame_bytes: 256 } };
const ready = (extra) => ({ ...READY, ...extra });
const stored = (seq, id) => ({ type: 'user_message', seq, id, content: 'x' });
let stands, refusals, events, phases, socket, access;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  mock.method(performance, 'now', () => Date.now());
  mock.method(Math, 'random', () => 0.5);
  FakeSocket.made = [];
  globalThis.sessionStorage = new FakeStorage();
  events = [];
  phases = [];
  refusals = [];
  access = { token: null, locked: false, ranOut: [], verdict: { kind: 'again', wait: 0 } };
  const credentials = {
    token: () => access.token,
    protocols: () => (access.token === null ? [] : ['patter.v1', access.token]),
    isLocked: () => access.locked,
    ranOut: (token) => access.ranOut.push(token),
    why: async () => access.verdict,
  };
  socket = new SessionSocket(new URL('ws://localhost/ws/session/s'), new Outbox('s'), {
    onEvent: (event) => events.push(event),
    onConnection: (connection) => {
      phases.push(connection.phase);
      stands = connection;
    },
    onRefusal: (error) => refusals.push(error),
  }, credentials);
  socket.connect();
});
afterEach(() => {
  socket.close();
  mock.timers.reset();
  mock.restoreAll();
});

const latest = () => FakeSocket.made.at(-1);
const lose = (code) => latest().onclose({ code });

test('after a loss it asks only for what it does not hold', () => {
  assert.equal(latest().url.search, '');
  latest().hear(ready({ last_seq: 2 }));
  latest().hear(stored(1, 'a'));
  latest().hear(stored(2, 'b'));
  lose(1006);
  assert.equal(phases.at(-1), 'waiting');
  mock.timers.tick(500);
  assert.equal(latest().url.search, '?after=2&epoch=e1');
  latest().hear(ready({ last_seq: 3 }));
  latest().hear(stored(2, 'b'));
  latest().hear(stored(3, 'c'));
  const seen = events.filter(({ seq }) => seq).map(({ seq }) => seq);
  assert.deepEqual(seen, [1, 2, 3], 'each durable event once');
});

test('when the log is another one, the whole of it is taken', () => {
  latest().hear(ready({ last_seq: 1 }));
  latest().hear(stored(1, 'a'));
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready({ epoch: 'e2', reset: true, last_seq: 1 }));
  latest().hear(stored(1, 'z'));
  assert.deepEqual(events.filter(({ seq }) => seq).map(({ id }) => id), ['a', 'z']);
});

test('a message is sent again under the same id until it is acknowledged', () => {
  socket.submit({ id: 'm1', content: 'hi' });
  assert.deepEqual(latest().sent, [], 'not before the session is ready');
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m1']);
  lose(1006);
  socket.submit({ id: 'm2', content: 'there' });
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m1', 'm2']);
  latest().hear(stored(1, 'm1'));
  latest().hear({ type: 'accepted', id: 'm2', durability: 'spooled' });
  lose(1006);
  mock.timers.tick(30_000);
  latest().hear(ready({ last_seq: 1 }));
  assert.deepEqual(latest().sent, []);
});

test('a message that the replay brings is not sent again', () => {
  latest().hear(ready());
  socket.submit({ id: 'm1', content: 'hi' });
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready({ last_seq: 1 }));
  assert.deepEqual(latest().sent, [], 'the replay is not over');
  latest().hear(stored(1, 'm1'));
  assert.deepEqual(latest().sent, []);
});

test('a message that was refused is not sent by itself', () => {
  latest().hear(ready());
  socket.submit({ id: 'm1', content: 'hi' });
  latest().hear({ type: 'error', code: 'busy', message: 'full', retryable: true, message_id: 'm1' });
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready());
  assert.deepEqual(latest().sent, []);
});

test('a refused message stays with its reason, also over a reload, and holds up none of the others', () => {
  const storage = globalThis.sessionStorage;
  const first = new Outbox('s');
  for (const id of ['m1', 'm2', 'm3']) first.add({ id, content: id });
  const refusal = { code: 'busy', message: 'full', retryable: true, message_id: 'm2' };
  first.refuse('m2', refusal);
  const reloaded = new Outbox('s');
  assert.deepEqual(reloaded.all(), [{ id: 'm1', content: 'm1' }, { id: 'm2', content: 'm2', refusal }, { id: 'm3', content: 'm3' }]);
  assert.deepEqual(reloaded.pending().map(({ id }) => id), ['m1', 'm3']);
  reloaded.add({ id: 'm2', content: 'm2' });
  assert.deepEqual(new Outbox('s').pending().map(({ id }) => id), ['m1', 'm3', 'm2'], 'sent again, it is the last');
  reloaded.refuse('unknown', refusal);
  assert.equal(reloaded.all().length, 3);
});

for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 4403]) {
  test(`close code ${code} is final`, () => {
    latest().hear(ready());
    lose(code);
    mock.timers.tick(120_000);
    assert.equal(FakeSocket.made.length, 1);
    assert.equal(phases.at(-1), 'closed');
  });
}

test('without a token a socket is opened as ever, and with one it offers it as a protocol', () => {
  assert.equal(latest().arguments, 1);
  access.token = 't1';
  lose(1006);
  mock.timers.tick(500);
  assert.deepEqual(latest().protocols, ['patter.v1', 't1']);
});

test('a token that ran out is not tried again, and the next one takes up what waits', () => {
  access.token = 't1';
  latest().hear(ready());
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready());
  access.locked = true;
  lose(4401);
  assert.deepEqual(access.ranOut, ['t1'], 'that of this connection');
  assert.equal(phases.at(-1), 'locked');
  const made = FakeSocket.made.length;
  socket.submit({ id: 'm1', content: 'hi' });
  listeners.dispatchEvent(new Event('online'));
  mock.timers.tick(120_000);
  assert.equal(FakeSocket.made.length, made);
  access.locked = false;
  access.token = 't2';
  socket.renew();
  assert.deepEqual(latest().protocols, ['patter.v1', 't2']);
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m1']);
});

test('an open connection goes on with a new token, and a resting one is left alone', () => {
  latest().hear(ready());
  access.token = 't2';
  socket.renew();
  assert.deepEqual(latest().sent, [{ type: 'auth_refresh', token: 't2' }]);
  lose(4408);
  socket.renew();
  assert.equal(FakeSocket.made.length, 1);
  assert.equal(phases.at(-1), 'resting');
});

const told = () => new Promise((resolve) => setImmediate(resolve));

test('a refused upgrade is asked about: it waits as long as it is told to', async () => {
  access.verdict = { kind: 'again', wait: 20_000, why: 'busy' };
  lose(1006);
  await told();
  assert.deepEqual(stands, { phase: 'waiting', retryAt: Date.now() + 20_000, why: 'busy' });
  mock.timers.tick(19_999);
  assert.equal(FakeSocket.made.length, 1);
  mock.timers.tick(1);
  assert.equal(FakeSocket.made.length, 2);
});

test('a refused upgrade that no token may have is not asked for again', async () => {
  access.verdict = { kind: 'forbidden' };
  lose(1006);
  await told();
  mock.timers.tick(120_000);
  assert.deepEqual(stands, { phase: 'closed', code: 4403 });
  assert.equal(FakeSocket.made.length, 1);
});

test('a session that there is not, and that is not begun, is tried three times', async () => {
  access.verdict = { kind: 'absent' };
  for (let tries = 1; tries <= 3; tries += 1) {
    assert.equal(FakeSocket.made.length, tries);
    lose(1006);
    await told();
    mock.timers.tick(30_000);
  }
  assert.deepEqual(stands, { phase: 'closed', code: 4403 });
  assert.equal(FakeSocket.made.length, 3);
});

test('what is said of an attempt that is over changes nothing', async () => {
  access.verdict = { kind: 'forbidden' };
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready());
  await told();
  assert.equal(phases.at(-1), 'open');
  access.verdict = { kind: 'forbidden' };
  latest().onopen();
  lose(1006);
  await told();
  assert.equal(phases.at(-1), 'waiting', 'a connection that was had was not refused');
});

test('attempts come ever more seldom, and no more seldom than every 30 seconds', () => {
  const waits = [];
  for (let attempt = 0; attempt < 9; attempt += 1) {
    const before = FakeSocket.made.length;
    lose(1011);
    const lostAt = Date.now();
    while (FakeSocket.made.length === before) mock.timers.tick(25);
    waits.push(Date.now() - lostAt);
  }
  assert.deepEqual(waits, waits.toSorted((a, b) => a - b));
  assert.ok(waits[0] >= 250 && waits[0] <= 500, `first: ${waits[0]}`);
  assert.ok(waits.at(-1) > 10_000 && waits.at(-1) <= 30_000, `last: ${waits.at(-1)}`);
});

test('a restarting server is not met by all its clients at once', () => {
  latest().hear(ready());
  lose(1012);
  mock.timers.tick(2_000);
  assert.equal(FakeSocket.made.length, 1);
  mock.timers.tick(1_000);
  assert.equal(FakeSocket.made.length, 2);
});

test('after idling it rests until there is something to say', () => {
  latest().hear(ready());
  lose(4408);
  mock.timers.tick(120_000);
  assert.equal(FakeSocket.made.length, 1);
  assert.equal(phases.at(-1), 'resting');
  socket.submit({ id: 'm1', content: 'hi' });
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m1']);
});

test('a connection that died silently is noticed within 17 seconds', () => {
  latest().hear(ready());
  mock.timers.tick(11_000);
  assert.deepEqual(latest().sent, [{ type: 'ping' }]);
  latest().hear({ type: 'pong' });
  mock.timers.tick(11_000);
  assert.equal(latest().sent.length, 2);
  assert.equal(phases.at(-1), 'open');
  mock.timers.tick(6_000);
  assert.equal(phases.at(-1), 'waiting');
});

test('an attempt that leads to nothing is given up', () => {
  mock.timers.tick(11_000);
  assert.equal(phases.at(-1), 'waiting');
});

test('when the network is back, it does not wait any longer', () => {
  latest().hear(ready());
  lose(1006);
  listeners.dispatchEvent(new Event('online'));
  assert.equal(FakeSocket.made.length, 2);
  latest().hear(ready());
  listeners.dispatchEvent(new Event('pageshow'));
  assert.deepEqual(latest().sent, [{ type: 'ping' }], 'an open connection is only asked for a sign of life');
});

test('what was not acknowledged outlives a reload', () => {
  const storage = globalThis.sessionStorage;
  new Outbox('s').add({ id: 'm1', content: 'hi' });
  const reloaded = new Outbox('s');
  assert.deepEqual(reloaded.pending(), [{ id: 'm1', content: 'hi' }]);
  assert.deepEqual(new Outbox('another').pending(), []);
  reloaded.remove('m1');
  assert.equal(storage.items.size, 0);
  for (const other of ['{not json', '{}', 'null', '7', '[null, 7, {"id": 1, "content": "x"}, {"id": "m"}]']) {
    storage.setItem('patter.outbox.s', other);
    assert.deepEqual(new Outbox('s').pending(), [], other);
  }
});

test('a message over the limits that were told later is refused here, and holds up none of the others', () => {
  socket.submit({ id: 'm1', content: 'ä'.repeat(9) });
  socket.submit({ id: 'm2', content: '\u0001'.repeat(16), metadata: { long: 'x'.repeat(200) } });
  socket.submit({ id: 'm3', content: 'ä'.repeat(8) });
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m3']);
  assert.deepEqual(refusals.map(({ message_id, message }) => [message_id, message]), [
    ['m1', 'Too long: 18 of 16 bytes.'],
    ['m2', 'Too long: 365 of 256 bytes.'],
  ]);
  socket.submit({ id: 'm1', content: 'ä'.repeat(9) });
  assert.equal(latest().sent.length, 1, 'it went out when it was asked for again');
  assert.equal(refusals.length, 3);
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m3']);
});

test('an error of the answer to a message does not refuse the message', () => {
  latest().hear(ready());
  socket.submit({ id: 'm1', content: 'hi' });
  latest().hear({ type: 'error', code: 'provider_error', message: 'x', retryable: true, message_id: 'm1', response_id: 'r1' });
  lose(1006);
  mock.timers.tick(500);
  latest().hear(ready());
  assert.deepEqual(latest().sent.map(({ id }) => id), ['m1'], 'it was never acknowledged');
});
