// What a session keeps of what somebody wrote: refused messages and messages that are being written anew.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { load } from './support/bundle.mjs';
import { FakeSocket, FakeStorage } from './support/fake-page.mjs';

globalThis.location = new URL('http://localhost/?session=s');
globalThis.requestAnimationFrame = (draw) => setImmediate(draw);
let fetched;
globalThis.fetch = async (url) => fetched(new URL(url, location));

/** As a page has it that was just loaded. */
let Session;
const READY = { type: 'session_ready', epoch: 'e1', last_seq: 0, reset: false, limits: { max_content_bytes: 64, max_frame_bytes: 4_096 } };
let open = [];

beforeEach(async () => {
  ({ Session } = await load('src/session.ts'));
  FakeSocket.made = [];
  globalThis.sessionStorage = new FakeStorage();
  fetched = () => Response.json({}, { status: 404 });
});
afterEach(() => {
  for (const session of open) session.leave();
  open = [];
});

/** What the page shows after it was loaded, or the session was opened again; `log` is what the server has stored. */
async function reload(log = []) {
  for (const session of open.splice(0)) session.leave();
  if (log.length > 0) serve(log);
  const session = new Session('s');
  open.push(session);
  await session.opened;
  hear({ ...READY, last_seq: log.length });
  await drawn();
  return session;
}

/** Has the API tell of a log. */
function serve(log, epoch = 'e1') {
  fetched = ({ pathname, searchParams }) => {
    if (!pathname.endsWith('/events')) return Response.json({ epoch, last_seq: log.length, is_active: true });
    const [after, limit] = ['after', 'limit'].map((name) => Number(searchParams.get(name)));
    const events = log.slice(after, after + limit);
    return Response.json({ epoch, events, next_after: after + limit < log.length ? after + limit : null });
  };
}

/** A log of turns, each a message and its answer. */
const turns = (count, length = 1) => Array.from({ length: count }, (_, turn) => [
  stored(2 * turn + 1, `m${turn + 1}`),
  { type: 'ai_response', seq: 2 * turn + 2, at: '', response_id: `r${turn + 1}`, message_id: `m${turn + 1}`, content: 'x'.repeat(length), finish_reason: 'stop', supersedes: null },
]).flat();

const hear = (event) => FakeSocket.made.at(-1).hear(event);
const sent = () => FakeSocket.made.at(-1).sent.filter(({ type }) => type === 'user_message');
const drawn = () => new Promise((resolve) => setTimeout(resolve, 5));
const stored = (seq, id, extra = {}) => ({ type: 'user_message', seq, at: '', id, content: `text of ${id}`, replaces: null, metadata: {}, ...extra });
const refusal = (message_id, code = 'busy') => ({ type: 'error', code, message: 'not now', retryable: true, message_id });
const outline = (session) => session.state.value.entries.map(({ content, delivery }) => `${content}: ${delivery}`);

/** Says something that the server refuses. */
async function refused(session, content, code) {
  session.say(content);
  hear(refusal(sent().at(-1).id, code));
  await drawn();
  return session.state.value.entries.at(-1);
}

test('a refused message and why it was outlive a reload, and are not sent by themselves', async () => {
  const said = await refused(await reload(), 'Hello');
  const session = await reload();
  assert.deepEqual(outline(session), ['Hello: refused']);
  assert.equal(session.state.value.entries[0].error.message, 'not now');
  session.say('Next');
  assert.deepEqual(sent().map(({ content }) => content), ['Next'], 'it holds up the next one, or was sent again');
  session.sayAgain(session.state.value.entries[0]);
  assert.equal(sent().at(-1).id, said.id);
  assert.deepEqual(outline(session), ['Next: waiting', 'Hello: waiting']);
});

test('a refused message is sent again with other words, or discarded for good', async () => {
  const session = await reload();
  session.sayAgain(await refused(session, 'Hello'), 'Good day');
  assert.equal(sent().at(-1).content, 'Good day');
  assert.notEqual(sent().at(-1).id, sent()[0].id);
  assert.deepEqual(outline(session), ['Good day: waiting']);
  session.discard((await refused(session, 'Nothing')).id);
  assert.deepEqual(outline(await reload()), ['Good day: waiting']);
});

test('a refused message that the log has after all waits no more', async () => {
  const { id } = await refused(await reload(), 'Hello');
  await reload([stored(1, id)]);
  assert.equal(sessionStorage.getItem('patter.outbox.s'), null);
});

test('a message of another log goes with it, and a refused one stays', async () => {
  const session = await reload([stored(1, 'm1')]);
  await refused(session, 'Hello');
  hear({ ...READY, epoch: 'e2', reset: true });
  await drawn();
  assert.deepEqual(outline(session), ['Hello: refused']);
});

test('a message that is being written anew outlives a look at another session', async () => {
  const session = await reload([stored(1, 'm1')]);
  session.edits.keep('m1', 'Half a better ques');
  const back = await reload([stored(1, 'm1')]);
  assert.equal(back.edits.of('m1'), 'Half a better ques');
  back.edits.end('m1');
  assert.equal((await reload([stored(1, 'm1')])).edits.of('m1'), undefined);
  assert.equal(sessionStorage.items.size, 0);
});

test('only the last message is replaced, as it is when that is asked for', async () => {
  const session = await reload([stored(1, 'm1')]);
  hear(stored(2, 'of another tab'));
  await drawn();
  assert.equal(session.edit('m1', 'Better'), false);
  assert.deepEqual(sent(), []);
  assert.equal(session.edit('of another tab', 'Better'), true);
  assert.equal(sent()[0].replaces, 'of another tab');
});

test('an edit that was refused replaces what is the last message still, and else stands for itself', async () => {
  const session = await reload([stored(1, 'm1')]);
  session.edit('m1', 'Better');
  hear(refusal(sent()[0].id));
  await drawn();
  const said = session.state.value.entries.at(-1);
  session.sayAgain(said);
  assert.equal(sent().at(-1).replaces, 'm1');
  hear(refusal(said.id));
  hear(stored(2, 'of another tab'));
  await drawn();
  session.sayAgain(session.state.value.entries.at(-1));
  assert.equal(sent().at(-1).replaces, undefined);
});

for (const id of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
  test(`a message may have the id ${id}`, async () => {
    const session = await reload([stored(1, id)]);
    assert.equal(session.edits.of(id), undefined);
    session.edits.keep(id, 'Better');
    const back = await reload([stored(1, id)]);
    assert.equal(back.edits.of(id), 'Better');
    back.edits.end(id);
    assert.equal(back.edits.of(id), undefined);
    assert.equal(sessionStorage.items.size, 0);
  });
}

test('what is no edit, or no longer ours, is nothing that is being written anew', async () => {
  for (const other of ['null', '7', '{"m1": null}', '{not json']) {
    sessionStorage.setItem('patter.edits.s', other);
    assert.equal((await reload([stored(1, 'm1')])).edits.of('m1'), undefined, other);
  }
});

test('without room in the storage nothing is lost while the page is open, and nothing old comes back', async () => {
  const log = [stored(1, 'm1')];
  const session = await reload(log);
  session.draft.value = 'old';
  session.say('One');
  sessionStorage.isFull = true;
  session.draft.value = 'new';
  session.say('Two');
  session.edits.keep('m1', 'Better');
  const back = await reload(log);
  assert.equal(back.draft.value, 'new');
  assert.equal(back.edits.of('m1'), 'Better');
  assert.deepEqual(outline(back), ['text of m1: stored', 'One: waiting', 'Two: waiting']);
  sessionStorage.isFull = false;
  back.draft.value = '';
  assert.equal((await reload(log)).draft.value, '');
});

test('without any storage what was written is there while the page is open', async () => {
  Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, get: () => { throw new Error('forbidden'); } });
  try {
    const session = await reload();
    session.draft.value = 'half a sen';
    session.say('One');
    const back = await reload();
    assert.equal(back.draft.value, 'half a sen');
    assert.deepEqual(outline(back), ['One: waiting']);
    back.draft.value = '';
    back.discard(back.state.value.entries[0].id);
    assert.deepEqual(outline(await reload()), []);
  } finally {
    Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, writable: true, value: new FakeStorage() });
  }
});

test('a session that was left keeps nothing more', async () => {
  const session = await reload([stored(1, 'm1')]);
  const { edits } = session;
  edits.keep('m1', 'Better');
  session.leave();
  edits.keep('m1', 'Best');
  session.draft.value = 'more';
  assert.deepEqual([...sessionStorage.items], [['patter.edits.s', '{"m1":"Better"}']]);
});

test('an edit that was refused for what it replaces stands for itself, sent again', async () => {
  const session = await reload([stored(1, 'm1')]);
  session.edit('m1', 'Better');
  hear(refusal(sent()[0].id, 'invalid_field'));
  await drawn();
  session.sayAgain(session.state.value.entries.at(-1));
  assert.equal(sent().at(-1).content, 'Better');
  assert.equal(sent().at(-1).replaces, undefined);
});

test('a message that turns out to be too long can be shortened, and takes the place that it was to take', async () => {
  const log = [stored(1, 'm1')];
  const session = await reload(log);
  session.edit('m1', 'x'.repeat(65));
  await drawn();
  const said = session.state.value.entries.at(-1);
  assert.deepEqual([said.delivery, said.error.message], ['refused', 'Too long: 65 of 64 bytes.']);
  assert.deepEqual(sent(), []);
  assert.equal((await reload(log)).state.value.entries.at(-1).delivery, 'refused');
  open[0].sayAgain(open[0].state.value.entries.at(-1), 'Short');
  assert.deepEqual(sent().map(({ content, replaces }) => [content, replaces]), [['Short', 'm1']]);
});

/** Begins a session in which all that comes is stored, and hears the log. */
async function live(log) {
  const session = await reload();
  serve(log);
  for (const event of log) hear(event);
  await drawn();
  return session;
}
const ids = (session) => session.state.value.entries.map(({ id }) => id);

test('a long conversation is let go of from its beginning, and is there again when it is asked for', async () => {
  const log = turns(200);
  const session = await live(log);
  assert.equal(session.state.value.entries.length, 200);
  assert.equal(session.earlier.value, 'more');
  const shown = ids(session);
  await session.showEarlier();
  assert.equal(session.earlier.value, 'none');
  assert.deepEqual(ids(session).slice(-200), shown);
  assert.deepEqual(session.state.value, (await reload(log), await open[0].showEarlier(), { ...open[0].state.value, session: session.state.value.session }));
});

test('few messages with much text are let go of, too', async () => {
  const session = await live(turns(20, 10_000));
  assert.deepEqual(ids(session).slice(0, 2), ['m16', 'r16']);
});

test('nothing is let go of that is being read, written anew or could not be read again', async () => {
  const cases = {
    'somebody reads further up': (session) => session.followReader(() => false),
    'somebody looked back': (session) => session.showEarlier(),
    'the store is away': () => hear({ type: 'notice', code: 'store_degraded', message: 'x' }),
    'the first message is being written anew': (session) => session.edits.keep('m1', 'Better'),
  };
  for (const [name, happens] of Object.entries(cases)) {
    const session = await reload();
    hear(stored(1, 'm1'));
    await drawn();
    await happens(session);
    for (const event of turns(200).slice(1)) hear(event);
    await drawn();
    assert.equal(session.state.value.entries.length, 400, name);
    session.edits.end('m1');
  }
});

test('who looked back and then says something sees the end again, and the beginning is let go of', async () => {
  const log = turns(200);
  const session = await live(log);
  await session.showEarlier();
  session.say('Go on');
  hear(stored(401, sent().at(-1).id));
  await drawn();
  assert.equal(session.earlier.value, 'more');
  assert.ok(session.state.value.entries.length < 250);
});

test('earlier messages of another log are not shown, and can be asked for again', async () => {
  const session = await live(turns(200));
  serve(turns(200), 'e2');
  await session.showEarlier();
  assert.equal(session.earlier.value, 'failed');
  assert.equal(session.state.value.entries.length, 200);
  serve(turns(200));
  await session.showEarlier();
  assert.equal(session.earlier.value, 'none');
});

for (const [name, answer] of Object.entries({
  'come': () => Response.json({ epoch: 'e1', events: turns(100), next_after: null }),
  'do not come': () => Response.json({}, { status: 503 }),
})) {
  test(`where the log is another one by the time the earlier messages ${name}, nothing is told of them`, async () => {
    const session = await live(turns(200));
    let release;
    const held = new Promise((resolve) => (release = resolve));
    fetched = async () => (await held, answer());
    const reading = session.showEarlier();
    await drawn();
    assert.equal(session.earlier.value, 'loading');
    hear({ ...READY, epoch: 'e2', reset: true });
    release();
    await reading;
    await drawn();
    assert.equal(session.earlier.value, 'none');
    assert.deepEqual(ids(session), []);
  });
}

test('a part of the log with a gap behind it is not shown', async () => {
  const session = await live(turns(200));
  fetched = () => Response.json({ epoch: 'e1', events: turns(50), next_after: null });
  await session.showEarlier();
  assert.equal(session.earlier.value, 'failed');
});

test('a message that the log has further up waits no more', async () => {
  const log = turns(200);
  const session = await reload(log);
  session.say('text of m1');
  const waiting = JSON.parse(sessionStorage.getItem('patter.outbox.s'));
  sessionStorage.setItem('patter.outbox.s', JSON.stringify([{ ...waiting[0], id: 'm1' }]));
  const back = await reload(log);
  await back.showEarlier();
  assert.equal(sessionStorage.getItem('patter.outbox.s'), null);
  assert.equal(ids(back).filter((id) => id === 'm1').length, 1);
});

test('what a message was to become that is gone with its log goes on as a draft', async () => {
  const session = await reload([stored(1, 'm1')]);
  const said = await refused(session, 'Hello');
  session.draft.value = 'Half a sen';
  session.edits.keep('m1', 'Half a better ques');
  session.edits.keep(said.id, 'Good day');
  hear({ ...READY, epoch: 'e2', last_seq: 1, reset: true });
  await drawn();
  assert.equal(session.edits.of('m1'), 'Half a better ques', 'it may come again');
  hear(stored(1, 'other'));
  await drawn();
  assert.equal(session.draft.value, 'Half a sen\n\nHalf a better ques');
  assert.equal(session.edits.of('m1'), undefined);
  assert.equal(session.edits.of(said.id), 'Good day');
});

test('an edit stays where its message comes again, and is found where it went while nobody looked', async () => {
  const session = await reload([stored(1, 'm1')]);
  session.edits.keep('m1', 'Better');
  hear({ ...READY, epoch: 'e2', last_seq: 1, reset: true });
  hear(stored(1, 'm1'));
  await drawn();
  assert.equal(session.edits.of('m1'), 'Better');
  const back = await reload([stored(1, 'other')]);
  assert.equal(back.draft.value, 'Better');
  assert.equal(back.edits.of('m1'), undefined);
});
