// The access token: whose it is, how it is sent, and what becomes of what was written before and after.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { load } from './support/bundle.mjs';
import { FakeStorage, listeners } from './support/fake-page.mjs';

globalThis.location = Object.assign(new URL('http://localhost/?session=s'), { replace: (to) => (wentTo = to) });
let wentTo, asked, answer;
globalThis.fetch = async (url, { headers }) => {
  asked.push({ path: new URL(url).pathname, token: headers.authorization });
  return answer(headers.authorization, new URL(url).pathname);
};

const base64url = (text) => Buffer.from(text).toString('base64url');
const jwt = (sub, more = {}) => `${base64url('{}')}.${base64url(JSON.stringify({ sub, ...more }))}.signature`;
const UNAUTHORIZED = { status: 401, headers: { 'www-authenticate': 'Bearer' } };
const refusal = (detail, init) => Response.json({ code: 'unauthorized', detail }, init);
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  globalThis.sessionStorage = new FakeStorage();
  wentTo = undefined;
  asked = [];
  answer = () => Response.json({});
});

/** Everything, as a page has it that was just loaded. */
async function page() {
  // One bundle, or each module would have a token of its own.
  return load('test/support/access-entry.ts');
}

test('a token is found in what was pasted, and names its user', async () => {
  const { tokenIn, subjectOf, ownerOf, protocolsFor } = await page();
  assert.equal(tokenIn('  Bearer abc.def \n'), 'abc.def');
  assert.equal(tokenIn('two words'), null);
  assert.equal(tokenIn('schlüssel'), null);
  assert.equal(tokenIn(' '), null);
  assert.equal(subjectOf(jwt('Zoë?>')), 'Zoë?>');
  for (const none of ['opaque', 'a.b', 'a.%.c', jwt(''), jwt(7), `${base64url('{}')}.${base64url('[1]')}.x`]) {
    assert.equal(subjectOf(none), null, none);
  }
  assert.equal(ownerOf(jwt('ann', { exp: 1 })), ownerOf(jwt('ann', { exp: 2 })));
  assert.notEqual(ownerOf(jwt('ann')), ownerOf(jwt('bob')));
  assert.notEqual(ownerOf('secret-1'), ownerOf('secret-2'));
  const [ours, offered] = protocolsFor('a+/=?');
  assert.equal(ours, 'patter.v1');
  assert.equal(offered, `base64url.bearer.${base64url('a+/=?')}`);
  assert.match(offered, /^[A-Za-z0-9._-]+$/, 'a protocol is a token of HTTP');
});

test('without authentication nothing is sent, asked or kept', async () => {
  const { api, needsToken } = await page();
  await api.models();
  assert.deepEqual(asked, [{ path: '/api/models', token: undefined }]);
  answer = () => Response.json({ code: 'x', detail: 'a proxy’s own' }, { status: 401, headers: { 'www-authenticate': 'Basic' } });
  await assert.rejects(api.models(), { status: 401, message: 'a proxy’s own' });
  assert.equal(needsToken.value, false);
  assert.equal(sessionStorage.length, 0);
});

test('a request waits until somebody has signed in, and so do all the others', async () => {
  const { api, needsToken, askingNow, signIn } = await page();
  answer = (token, path) => (path === '/health' || token === `Bearer ${jwt('ann')}` ? Response.json({ models: 1 }) : refusal('no', UNAUTHORIZED));
  const aborter = new AbortController();
  const waiting = [api.models(), api.sessions({ limit: 1 })];
  const given = assert.rejects(api.search({ q: 'x', limit: 1 }, aborter.signal), { name: 'AbortError' });
  await soon();
  assert.deepEqual([needsToken.value, askingNow.value], [true, true]);
  const before = asked.length;
  void api.models();
  aborter.abort();
  await given;
  await assert.rejects(api.probe('s'), { status: 401 }, 'what is not to wait fails');
  assert.equal(asked.length, before + 1);
  await assert.rejects(signIn('wrong'), { status: 401, message: 'no' });
  assert.deepEqual([needsToken.value, sessionStorage.length], [true, 0], 'nothing has changed');
  await signIn(jwt('ann'));
  assert.deepEqual(await Promise.all(waiting), [{ models: 1 }, { models: 1 }]);
  assert.deepEqual([needsToken.value, askingNow.value], [false, false]);
  assert.equal((await page()).accessToken.value, jwt('ann'), 'a reload of the tab keeps it');
  await api.health();
  assert.deepEqual(asked.at(-1), { path: '/health', token: undefined }, 'nothing that is public gets it');
});

test('nobody who is writing is interrupted', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 1_000;
  t.mock.method(performance, 'now', () => now);
  const { followTyping, refused, needsToken, askingNow, ask, askLater } = await page();
  const end = followTyping();
  listeners.dispatchEvent(new Event('input'));
  refused(null);
  assert.deepEqual([needsToken.value, askingNow.value], [true, false]);
  now += 1_500;
  listeners.dispatchEvent(new Event('input'));
  now += 500;
  t.mock.timers.tick(2_000);
  assert.equal(askingNow.value, false);
  now += 1_500;
  t.mock.timers.tick(1_500);
  assert.equal(askingNow.value, true);
  askLater();
  assert.deepEqual([needsToken.value, askingNow.value], [true, false]);
  ask();
  assert.equal(askingNow.value, true);
  end();
});

test('what was written before signing in is that of the first user, and of no other', async () => {
  const first = await page();
  const outbox = new first.Outbox('s');
  outbox.add({ id: 'm1', content: 'hi' });
  sessionStorage.setItem('patter.draft.s', 'half a sen');
  sessionStorage.setItem('of.something.else', 'x');
  await first.signIn(jwt('ann'));
  outbox.add({ id: 'm2', content: 'there' });
  assert.equal(sessionStorage.getItem('patter.draft.s'), null);
  assert.equal(sessionStorage.getItem(first.keyOf('draft', 's')), 'half a sen');

  await first.signIn(jwt('ann', { exp: 2 }));
  assert.equal(wentTo, undefined, 'the same user goes on');
  assert.deepEqual(new first.Outbox('s').pending().map(({ id }) => id), ['m1', 'm2']);

  await first.signIn(jwt('bob'));
  assert.equal(wentTo, '/', 'another one begins with a new page');
  assert.equal(first.accessToken.value, jwt('ann', { exp: 2 }), 'and what this page still does is done as before');
  const second = await page();
  assert.equal(second.accessToken.value, jwt('bob'));
  assert.deepEqual(new second.Outbox('s').pending(), []);

  await second.signIn(jwt('ann'));
  assert.deepEqual(new (await page()).Outbox('s').pending().map(({ id }) => id), ['m1', 'm2'], 'it waited');
});

test('signing out forgets the token and everything that was written', async () => {
  const { signIn, signOut, Outbox, keyOf } = await page();
  await signIn(jwt('ann'));
  new Outbox('s').add({ id: 'm1', content: 'hi' });
  sessionStorage.setItem(keyOf('draft', 's'), 'half a sen');
  sessionStorage.setItem('of.something.else', 'x');
  signOut();
  assert.deepEqual([...sessionStorage.items.keys()], ['of.something.else']);
  assert.equal(wentTo, '/');
});

test('what the API says of a session tells why its connection was refused', async () => {
  const { verdictOn, signIn } = await page();
  const say = (status, headers = {}) => (answer = () => Response.json({ code: 'x', detail: 'x' }, { status, headers }));
  say(200);
  assert.deepEqual(await verdictOn('s'), { kind: 'again', wait: 0 });
  say(404);
  assert.deepEqual(await verdictOn('s'), { kind: 'absent' }, 'a new session is not known yet');
  say(503);
  assert.deepEqual(await verdictOn('s'), { kind: 'again', wait: 0 });
  say(403);
  assert.deepEqual(await verdictOn('s'), { kind: 'forbidden' });
  say(429, { 'retry-after': '7' });
  assert.deepEqual(await verdictOn('s'), { kind: 'again', wait: 7_000, why: 'busy' });
  say(200);
  await signIn(jwt('ann'));
  say(404);
  assert.deepEqual(await verdictOn('s'), { kind: 'again', wait: 0, why: 'unseen' });
  say(401, UNAUTHORIZED.headers);
  assert.deepEqual(await verdictOn('s'), { kind: 'locked' });
});

test('a session that was deleted leaves nothing that was written in it, of whoever is signed in', async () => {
  const { signIn, Outbox, keyOf, forgetSession } = await page();
  await signIn(jwt('ann'));
  for (const id of ['s', 'other']) {
    new Outbox(id).add({ id: 'm1', content: 'hi' });
    for (const kind of ['draft', 'edits']) sessionStorage.setItem(keyOf(kind, id), 'x');
  }
  forgetSession('s');
  assert.deepEqual([...sessionStorage.items.keys()].filter((key) => key.endsWith('.s')), []);
  assert.equal(sessionStorage.length, 4, 'the token, and what is of the other session');
});
