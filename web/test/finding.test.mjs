// Finding what was said: the list of sessions, what is done with them, and the search.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();
const HOSTILE = '<img src=x onerror="alert(1)">';

/** A session as the list tells it, that began so many days ago. */
function listed(id, title, { days = 0, tags = [], summary = null, ...other } = {}) {
  const start_time = new Date(Date.now() - days * 86_400_000).toISOString();
  return {
    session_id: id,
    user_id: null,
    created_at: start_time,
    start_time,
    updated_at: start_time,
    end_time: null,
    is_active: true,
    is_live: false,
    last_seq: 9,
    epoch: 'epoch-1',
    metadata: { ...(title !== null && { title }), ...(tags.length > 0 && { tags }) },
    metrics: null,
    summary,
    ...other,
  };
}

const titles = (page) => page.locator('.sessions .row-title').allTextContents();
const row = (page, title) => page.locator('.sessions li').filter({ hasText: title });

/** A page beside whose session there are these. */
async function withSessions(sessions, options) {
  const { page, session, api } = await suite.open({ path: '/?view=analytics', ...options });
  api.reply('GET /api/sessions', { sessions, next_cursor: null });
  for (const one of sessions) api.reply(`GET /api/sessions/${one.session_id}`, one);
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  await untilText(page.locator('.connection'), 'Connected');
  await page.locator('.sessions li').first().waitFor();
  return { page, session, api };
}

test('sessions stand by day, called by title, summary, or nothing; empty ones are left out', async () => {
  const { page } = await withSessions([
    listed('a', 'Apples'),
    listed('b', null, { days: 1, summary: 'They asked for pears. There were none.' }),
    listed('c', null, { days: 1 }),
    listed('d', 'Nobody said a word', { days: 2, last_seq: 1 }),
  ]);
  assert.deepEqual(await titles(page), ['Apples', 'They asked for pears.', 'Untitled']);
  assert.deepEqual(await page.locator('.sessions h2').allTextContents(), ['Today', 'Yesterday']);
});

test('a new conversation is named after its first message', async () => {
  const { page, session, api } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'What do apples cost?');
  await session.next('user_message');
  await row(page, 'What do apples cost?').waitFor();
  const named = api.requests.find(({ method }) => method === 'PATCH');
  assert.deepEqual(named.body, { metadata: { title: 'What do apples cost?' } });
});

test('a conversation is opened from the list, and Back leads to the one before', async () => {
  const { page, session } = await withSessions([listed('other', 'The other one')]);
  await page.getByRole('link', { name: /The other one/ }).click();
  await page.waitForURL(/session=other/);
  await page.goBack();
  await page.waitForURL(new RegExp(`session=${session.id}`));
});

test('a conversation is renamed and tagged, and the tag filters the list', async () => {
  const { page, api } = await withSessions([listed('a', 'Apples'), listed('b', 'Pears', { tags: ['fruit'] })]);
  let metadata = { title: 'Apples' };
  api.reply('PATCH /api/sessions/a', ({ body }) => {
    metadata = { ...metadata, ...body.metadata };
    return { ...listed('a', null), metadata };
  });
  await row(page, 'Apples').getByRole('button', { name: 'Options' }).click();
  await page.getByLabel('Title').fill('Red apples');
  await page.keyboard.press('Enter');
  await page.getByPlaceholder('Add a tag').fill('red');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove the tag red' }).waitFor();
  assert.deepEqual(metadata, { title: 'Red apples', tags: ['red'] });
  await page.keyboard.press('Escape');
  await row(page, 'Red apples').waitFor();
  await page.getByRole('group', { name: 'Filter by tag' }).getByRole('button', { name: 'red' }).click();
  await row(page, 'Pears').waitFor({ state: 'detached' });
  assert.deepEqual(await titles(page), ['Red apples']);
});

test('a conversation is taken along in three forms', async () => {
  const { page } = await withSessions([listed('a', 'Apples')]);
  await row(page, 'Apples').getByRole('button', { name: 'Options' }).click();
  const links = page.getByRole('dialog').getByRole('link');
  await links.first().waitFor();
  const places = await links.evaluateAll((all) => all.map((link) => [new URL(link.href).search, link.download]));
  assert.deepEqual(places, [['?format=markdown', ''], ['?format=json', ''], ['?format=jsonl', '']]);
});

test('what is deleted can be had back, and the server hears nothing of it', async () => {
  const { page, api } = await withSessions([listed('a', 'Apples'), listed('b', 'Pears')]);
  await row(page, 'Apples').getByRole('button', { name: 'Options' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await row(page, 'Apples').waitFor({ state: 'detached' });
  await untilText(page.getByRole('status'), /Deleted “Apples”/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, 'Apples').waitFor();
  assert.equal(api.requests.some(({ method }) => method === 'DELETE'), false);
});

test('what is deleted is gone for good when the page is left', async () => {
  const { page, api } = await withSessions([listed('a', 'Apples')]);
  api.reply('DELETE /api/sessions/a', undefined, 204);
  await row(page, 'Apples').getByRole('button', { name: 'Options' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await row(page, 'Apples').waitFor({ state: 'detached' });
  await page.goto('about:blank');
  for (let tries = 0; tries < 100 && !api.requests.some(({ method }) => method === 'DELETE'); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(api.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path), ['/api/sessions/a']);
});

test('words are found in all conversations, and a place opens there', async () => {
  const { page, session, api } = await withSessions([listed('a', 'Apples')]);
  api.reply('GET /api/search', ({ query }) => ({
    hits: [
      {
        session_id: 'a', title: 'Apples', seq: 7, type: 'user_message', at: '2026-11-21T09:30:00.000Z', score: 1,
        excerpt: [{ text: `${HOSTILE} for `, is_match: false }, { text: query.q, is_match: true }],
      },
    ],
    next_cursor: null,
  }));
  await page.keyboard.press('Escape');
  await page.getByRole('searchbox').fill('pears');
  await untilText(page.locator('mark'), 'pears');
  assert.match(await page.locator('.excerpt').textContent(), /<img src=x/);
  await untilText(page.getByRole('status'), /Found 1/);
  await page.locator('.results a').click();
  await page.waitForURL(/session=a&at=7/);
  assert.ok(session);
});

test('that a search fails is said', async () => {
  const { page, api } = await withSessions([listed('a', 'Apples')]);
  api.reply('GET /api/search', { title: 'Unavailable', detail: 'the database is not available' }, 503);
  await page.getByRole('searchbox').fill('pears');
  await untilText(page.locator('.results .bad'), /the database is not available/);
});

test('that the list cannot be had is said, and it is had again', async () => {
  const { page, api } = await suite.open({ path: '/?view=analytics' });
  api.reply('GET /api/sessions', { title: 'Unavailable', detail: 'away' }, 503);
  await page.reload();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  api.reply('GET /api/sessions', { sessions: [listed('a', 'Apples')], next_cursor: null });
  await page.getByRole('button', { name: 'Try again' }).click();
  await row(page, 'Apples').waitFor();
});

test('titles, tags and summaries are never more than text', async () => {
  const { page } = await withSessions([
    listed('a', HOSTILE, { tags: [HOSTILE] }),
    listed('b', null, { summary: `${HOSTILE} was said` }),
  ]);
  await row(page, '<img').first().getByRole('button', { name: 'Options' }).click();
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.locator('img').count(), 0);
});

for (const [name, options] of Object.entries({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'a phone': { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
})) {
  test(`axe finds nothing wrong with the list, the search and what is done: ${name}`, async () => {
    const { page, session, api } = await suite.open({ path: '/?view=analytics', ...options, bypassCSP: true });
    api.reply('GET /api/sessions', { sessions: [listed('a', 'Apples', { tags: ['fruit'] })], next_cursor: 'more' });
    api.reply('GET /api/search', { hits: [], next_cursor: null });
    await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
    await untilText(page.locator('.connection'), 'Connected');
    if (name === 'a phone') await page.getByRole('button', { name: 'List of conversations' }).click();
    await row(page, 'Apples').waitFor();
    assert.deepEqual(await violations(page), [], 'the list');
    await row(page, 'Apples').getByRole('button', { name: 'Options' }).click();
    await page.getByRole('button', { name: 'Delete' }).waitFor();
    assert.deepEqual(await violations(page), [], 'what is done');
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('pears');
    await page.locator('.results .note').getByText('Nothing found').waitFor();
    assert.deepEqual(await violations(page), [], 'the search');
  });
}
