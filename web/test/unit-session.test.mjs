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
  if (log.length > 0) {
    const row = { epoch: 'e1', last_seq: log.length, is_active: true };
    fetched = ({ pathname }) => Response.json(pathname.endsWith('/events') ? { epoch: 'e1', events: log, next_after: null } : row);
  }
  const session = new Session('s');
  open.push(session);
  await session.opened;
  hear({ ...READY, last_seq: log.length });
  await drawn();
  return session;
}

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
