// The list of sessions: what stands in it, and what can be done with each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';
import { asked, store, stored, untilAsked } from './support/stored.mjs';

const suite = pageSuite();
const EVIL = '<img src=x onerror="document.title=1">';
const OPEN = { path: '/?session=shown' };

const titles = (page) => page.locator('.row-title').allTextContents();
const untilTitles = (page, expected) =>
  page.waitForFunction(
    (wanted) => JSON.stringify([...document.querySelectorAll('.row-title')].map((e) => e.textContent)) === wanted,
    JSON.stringify(expected),
  );

/** Opens the page with these sessions stored. `options` for the browser. */
async function openWith(rows, options = {}) {
  const opened = await suite.open({ path: '/?view=analytics' });
  store(opened.api, ...rows);
  await opened.page.context().close();
  const api = opened.api;
  const { page } = await suite.open({ ...OPEN, ...options });
  return { page, api };
}

async function openMenu(page, title) {
  await page.locator('.row', { hasText: title }).getByRole('button', { name: 'Options' }).click();
  await page.getByRole('dialog', { name: 'This conversation' }).waitFor();
}

const SOME = [
  stored('a', { metadata: { title: 'Apples' } }),
  stored('b', { daysAgo: 1, metadata: { title: 'Bread', tags: ['food', EVIL] } }),
  stored('c', { daysAgo: 2, summary: 'They spoke of cheese. Then they stopped.' }),
];

test('sessions stand under their days, by title, summary, or neither', async () => {
  const { page } = await openWith([
    ...SOME,
    stored('d', { daysAgo: 400, metadata: { title: EVIL } }),
    stored('e', { daysAgo: 401 }),
    stored('empty', { daysAgo: 402, last_seq: 1 }),
    stored('mute', { daysAgo: 403, metrics: { user_messages: 0 } }),
  ]);
  await untilTitles(page, ['Apples', 'Bread', 'They spoke of cheese.', EVIL, 'Untitled']);
  const days = await page.locator('.sessions h2').allTextContents();
  assert.deepEqual(days.slice(0, 2), ['Today', 'Yesterday']);
  assert.equal(days.length, 5);
  assert.notEqual(await page.title(), '1');
});

test('an empty session is listed only while it is shown', async () => {
  const { page } = await openWith([stored('shown', { last_seq: 1 }), stored('a', { metadata: { title: 'Apples' } })]);
  await untilTitles(page, ['Untitled', 'Apples']);
  await page.getByRole('link', { name: 'Apples' }).click();
  await untilTitles(page, ['Apples']);
  assert.equal(await page.locator('.row a').getAttribute('aria-current'), 'page');
  assert.match(page.url(), /session=a$/);
});

test('older pages come on request, and a refresh keeps them', async () => {
  const { page: first, api } = await suite.open({ path: '/?view=analytics' });
  await first.context().close();
  const page1 = Array.from({ length: 3 }, (_, n) => stored(`n${n}`, { metadata: { title: `New ${n}` } }));
  api.reply('GET /api/sessions', ({ query }) =>
    query.cursor === undefined
      ? { sessions: page1, next_cursor: 'next' }
      : { sessions: [stored('o', { daysAgo: 9, metadata: { title: 'Old' } })], next_cursor: null },
  );
  const { page } = await suite.open(OPEN);
  await untilTitles(page, ['New 0', 'New 1', 'New 2']);
  await page.getByRole('button', { name: 'Show older' }).click();
  await untilTitles(page, ['New 0', 'New 1', 'New 2', 'Old']);
  page1[0] = { ...page1[0], metadata: { title: 'Newer 0' } };
  await page.evaluate(() => dispatchEvent(new Event('focus')));
  await untilTitles(page, ['Newer 0', 'New 1', 'New 2', 'Old']);
  assert.equal(await page.getByRole('button', { name: 'Show older' }).count(), 0);
});

test('a list that cannot be had says so, and can be asked for again', async () => {
  const { page: first, api } = await suite.open({ path: '/?view=analytics' });
  await first.context().close();
  api.reply('GET /api/sessions', { code: 'store_unavailable', detail: 'the database is away' }, 503);
  const { page } = await suite.open(OPEN);
  await untilText(page.locator('.sessions .bad p'), /the database is away/);
  store(api, ...SOME);
  await page.getByRole('button', { name: 'Try again' }).click();
  await untilTitles(page, ['Apples', 'Bread', 'They spoke of cheese.']);
});

test('the first message gives a new session its title, once', async () => {
  const { page, session, api } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, `${EVIL} and then a good many more words than a title can hold`);
  const { body } = await untilAsked(api, 'PATCH', `/api/sessions/${session.id}`);
  assert.equal(body.metadata.title, `${EVIL} and then a good…`);
  await untilTitles(page, [body.metadata.title]);
  await say(page, 'A second message');
  await page.locator('.said[data-delivery=stored]').nth(1).waitFor();
  assert.equal(asked(api, 'PATCH', `/api/sessions/${session.id}`).length, 1);
});

test('a title that could not be given is given later', async () => {
  const { page, session, api } = await suite.open();
  const path = `/api/sessions/${session.id}`;
  api.reply(`PATCH ${path}`, { code: 'store_unavailable', detail: 'the database is away' }, 503);
  await say(page, 'Hello');
  const { id } = await session.next('user_message');
  await untilAsked(api, 'PATCH', path);
  await page.waitForTimeout(200);
  api.reply(`PATCH ${path}`, ({ body }) => {
    session.metadata = body.metadata;
    return stored(session.id, { metadata: body.metadata });
  });
  session.startAnswer(id).finish();
  await untilTitles(page, ['Hello']);
});

test('a session that has a title keeps it', async () => {
  const { page, session, api } = await suite.open();
  session.metadata.title = 'Chosen before';
  await say(page, 'Hello');
  await untilTitles(page, ['Chosen before']);
  assert.deepEqual(asked(api, 'PATCH', `/api/sessions/${session.id}`), []);
});

test('the end of a session is told to the list', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Hello');
  await page.locator('.row-state').waitFor();
  session.startAnswer((await session.next('user_message')).id).finish();
  await page.getByRole('button', { name: 'End session' }).click();
  await page.locator('.row-state').waitFor({ state: 'detached' });
});

test('a session can be renamed, and a name taken away', async () => {
  const { page, api } = await openWith(SOME);
  await openMenu(page, 'Apples');
  const title = page.getByRole('textbox', { name: 'Title' });
  assert.equal(await title.inputValue(), 'Apples');
  await title.fill(EVIL);
  await title.press('Enter');
  await untilTitles(page, [EVIL, 'Bread', 'They spoke of cheese.']);
  await untilText(page.locator('[role=status]'), 'Saved');
  await title.fill(' ');
  await page.getByRole('button', { name: 'Save' }).click();
  await untilTitles(page, ['Untitled', 'Bread', 'They spoke of cheese.']);
  assert.deepEqual(asked(api, 'PATCH', '/api/sessions/a').at(-1).body, { metadata: { title: null } });
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-describedby'));
  assert.equal(focused, 'title-a', 'the focus is back where it was');
});

test('a name that is not taken is said, and stays in its box', async () => {
  const { page, api } = await openWith(SOME);
  api.reply('PATCH /api/sessions/a', { code: 'too_large', detail: 'too many bytes' }, 422);
  await openMenu(page, 'Apples');
  await page.getByRole('textbox', { name: 'Title' }).fill('Pears');
  await page.getByRole('button', { name: 'Save' }).click();
  await untilText(page.getByRole('dialog').locator('.bad'), 'That could not be saved: too many bytes');
  assert.equal(await page.getByRole('textbox', { name: 'Title' }).inputValue(), 'Pears');
  assert.deepEqual(await titles(page), ['Apples', 'Bread', 'They spoke of cheese.']);
});

test('tags are added and taken away, and narrow the list', async () => {
  const { page } = await openWith(SOME);
  await openMenu(page, 'Apples');
  const box = page.getByRole('textbox', { name: 'Tags' });
  await box.fill('food');
  await box.press('Enter');
  await page.getByRole('button', { name: 'Remove the tag food' }).waitFor();
  assert.equal(await box.inputValue(), '');
  await page.keyboard.press('Escape');
  const filter = page.getByRole('group', { name: 'Filter by tag' });
  await filter.getByRole('button', { name: EVIL }).click();
  await untilTitles(page, ['Bread']);
  await filter.getByRole('button', { name: 'food' }).click();
  await untilTitles(page, ['Apples', 'Bread']);
  await openMenu(page, 'Bread');
  await page.getByRole('button', { name: 'Remove the tag food' }).click();
  await untilTitles(page, ['Apples']);
});

test('a session can be downloaded in three formats', async () => {
  const { page } = await openWith([stored('a/b', { metadata: { title: 'Apples' } })]);
  await openMenu(page, 'Apples');
  const links = page.getByRole('dialog').locator('a[download]');
  assert.deepEqual(
    await links.evaluateAll((all) => all.map((link) => link.getAttribute('href'))),
    ['markdown', 'json', 'jsonl'].map((format) => `/api/sessions/a%2Fb/export?format=${format}`),
  );
});

test('deleting can be taken back; otherwise it happens after a while', async () => {
  const { page, api } = await openWith(SOME);
  await page.clock.install();
  await openMenu(page, 'Bread');
  await page.getByRole('button', { name: 'Delete' }).click();
  await untilTitles(page, ['Apples', 'They spoke of cheese.']);
  await untilText(page.locator('[role=status]'), 'Deleted “Bread”');
  await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('They spoke of cheese.'));
  await page.getByRole('button', { name: 'Undo' }).click();
  await untilTitles(page, ['Apples', 'Bread', 'They spoke of cheese.']);
  await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('Bread'));
  await page.evaluate(() => ['b', 'c'].forEach((id) => sessionStorage.setItem(`patter.draft.${id}`, 'Half a sen')));
  await openMenu(page, 'They spoke');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('Bread'));
  await page.evaluate(() => dispatchEvent(new Event('focus'))); // The server has it still.
  await page.clock.runFor(7_000);
  assert.deepEqual(asked(api, 'DELETE', '/api/sessions/c'), [], 'not yet');
  await page.clock.runFor(1_000);
  await untilAsked(api, 'DELETE', '/api/sessions/c');
  await page.locator('.undo').waitFor({ state: 'detached' });
  assert.deepEqual(await titles(page), ['Apples', 'Bread']);
  assert.deepEqual(asked(api, 'DELETE', '/api/sessions/b'), []);
  const drafts = await page.evaluate(() => ['b', 'c'].map((id) => sessionStorage.getItem(`patter.draft.${id}`)));
  assert.deepEqual(drafts, ['Half a sen', null], 'what was written in a session goes with it');
});

test('what waits to be deleted is deleted when the page is left', async () => {
  const { page, api } = await openWith(SOME);
  await openMenu(page, 'Bread');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.locator('.undo').waitFor();
  await page.goto('about:blank');
  await untilAsked(api, 'DELETE', '/api/sessions/b');
});

test('deleting the session that is shown leads to a new one, and Undo back to it', async () => {
  const { page } = await openWith([stored('shown', { metadata: { title: 'Shown' } }), ...SOME]);
  await openMenu(page, 'Shown');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL((url) => url.searchParams.get('session') !== 'shown');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.waitForURL((url) => url.searchParams.get('session') === 'shown');
});

test('a deletion that fails brings the row back and says why', async () => {
  const { page, api } = await openWith(SOME);
  api.reply('DELETE /api/sessions/a', { code: 'store_unavailable', detail: 'the database is away' }, 503);
  await page.clock.install();
  await openMenu(page, 'Apples');
  await page.getByRole('button', { name: 'Delete' }).click();
  await untilTitles(page, ['Bread', 'They spoke of cheese.']);
  await page.clock.runFor(8_000);
  await untilText(page.locator('.sessions > .bad'), '“Apples” could not be deleted: the database is away');
  assert.deepEqual(await titles(page), ['Apples', 'Bread', 'They spoke of cheese.']);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong with the list, its menu and the way back: ${colorScheme}`, async () => {
    const { page } = await openWith([stored('shown', { is_active: true }), ...SOME], { colorScheme, bypassCSP: true });
    await untilTitles(page, ['Untitled', 'Apples', 'Bread', 'They spoke of cheese.']);
    await page.getByRole('button', { name: 'food' }).click();
    assert.deepEqual(await violations(page), [], 'the list');
    await openMenu(page, 'Bread');
    assert.deepEqual(await violations(page), [], 'the menu');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.undo').waitFor();
    assert.deepEqual(await violations(page), [], 'the way back');
  });
}

test('on a phone the list is a drawer, with the way back in it', async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, bypassCSP: true };
  const { page } = await openWith(SOME, phone);
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await page.locator('.row').count(), 0);
  await page.getByRole('button', { name: 'List of conversations' }).click();
  await untilTitles(page, ['Apples', 'Bread', 'They spoke of cheese.']);
  assert.deepEqual(await violations(page), []);
  await openMenu(page, 'Bread');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
  await untilTitles(page, ['Apples', 'Bread', 'They spoke of cheese.']);
  await page.getByRole('link', { name: 'Apples' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.match(page.url(), /session=a$/);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, 'the page does not scroll sideways');
});
