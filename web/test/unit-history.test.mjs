// Reading what is stored: few requests, and parts that begin with a message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

globalThis.location = { href: 'http://localhost/' };
const { readEarlier } = await load('src/history.ts');

/** A log in which every `every`th event is a message, and a server that gives it away in pages. Answers with
 *  the requests that come. */
function serve(length, every, pageSize = 1_000) {
  const log = Array.from({ length }, (_, index) => ({
    seq: index + 1,
    type: index % every === 0 ? 'user_message' : 'tool_call',
    replaces: null,
  }));
  const asked = [];
  globalThis.fetch = async (url) => {
    const [after, limit] = ['after', 'limit'].map((name) => Number(url.searchParams.get(name)));
    assert.ok(limit <= 1_000, 'the server takes no more');
    asked.push({ after, limit });
    const events = log.slice(after, after + Math.min(limit, pageSize));
    const last = events.at(-1)?.seq ?? after;
    return Response.json({ epoch: 'e', events, next_after: last < length ? last : null });
  };
  return asked;
}

const seqs = ({ events }) => events.map(({ seq }) => seq);
const run = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('one part is read with one request', async () => {
  const asked = serve(10_000, 2);
  const part = await readEarlier('s', 9_801, 9_800);
  assert.deepEqual(seqs(part), run(9_601, 9_800));
  assert.equal(part.isCut, true);
  assert.equal(asked.length, 1);
});

test('what stands far back is read with as few requests as the server allows', async () => {
  const asked = serve(10_000, 2);
  const part = await readEarlier('s', 9_801, 80);
  assert.deepEqual(seqs(part), run(1, 9_800));
  assert.equal(part.isCut, false);
  assert.equal(asked.length, 10);
});

test('pages that end early are gone on from', async () => {
  serve(3_000, 2, 70);
  assert.deepEqual(seqs(await readEarlier('s', 2_801, 1_000)), run(801, 2_800));
});

test('a part begins with a message, also where that is far in front of what is wanted', async () => {
  serve(5_000, 900); // The messages are 1, 901, 1801, and so on.
  assert.deepEqual(seqs(await readEarlier('s', 4_901, 1_850)), run(1_801, 4_900));
  assert.deepEqual(seqs(await readEarlier('s', 4_901, 1_795)), run(901, 4_900));
});
