// Searching what was said in all sessions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';
import { asked, hit } from './support/stored.mjs';

const suite = pageSuite();
const EVIL = '<img src=x onerror="document.title=1">';
const HITS = [
  hit('a', 3, ['the ', 'price', ` of ${EVIL}`], { title: EVIL }),
  hit('b', 2, ['a ', 'price', ' again']),
  hit('a', 9, ['one more ', 'price', ''], { title: EVIL, type: 'ai_response' }),
];
const searches = (api) => asked(api, 'GET', '/api/search').map(({ query }) => query.q);

test('what is found stands by session, marked, and opens at its place', async () => {
  const { page, api } = await suite.open();
  api.reply('GET /api/search', { hits: HITS, next_cursor: null });
  await page.getByRole('searchbox').evaluate((box) => {
    for (const typed of ['p', 'pr', 'pri', 'pric', 'price']) {
      box.value = typed;
      box.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });
  await untilText(page.locator('[role=status]'), 'Found 3 results');
  assert.deepEqual(searches(api), ['price'], 'asked for once, after the typing');
  assert.deepEqual(await page.locator('.results h2').allTextContents(), [EVIL, 'Untitled']);
  assert.deepEqual(await page.locator('.results mark').allTextContents(), ['price', 'price', 'price']);
  assert.equal(await page.locator('.excerpt').first().textContent(), `the price of ${EVIL}`);
  assert.match(await page.locator('.hit-facts').nth(1).textContent(), /^Answer · /);
  await page.getByRole('link', { name: 'one more price' }).click();
  await page.waitForURL((url) => url.search === '?session=a&at=9');
  assert.equal(await page.locator('.results').count(), 1, 'the results stay');
  assert.notEqual(await page.title(), '1');
});

test('a late answer does not take the place of a newer one', async () => {
  const { page } = await suite.open();
  await page.route('**/api/search?*', async (route) => {
    const words = new URL(route.request().url()).searchParams.get('q');
    if (words === 'slow') await new Promise((resolve) => setTimeout(resolve, 1_200));
    await route.fulfill({ json: { hits: [hit('a', 2, ['', words, '.'])], next_cursor: null } }).catch(() => {});
  });
  const box = page.getByRole('searchbox');
  const slow = page.waitForRequest(/q=slow/);
  await box.fill('slow');
  await slow;
  await box.fill('fast');
  await untilText(page.locator('.results mark'), 'fast');
  await page.waitForTimeout(1_400);
  assert.deepEqual(await page.locator('.results mark').allTextContents(), ['fast']);
});

test('nothing found, a failure and more results are all said', async () => {
  const { page, api } = await suite.open();
  const box = page.getByRole('searchbox');
  await box.fill(EVIL);
  await untilText(page.locator('.results .note'), `Nothing found for “${EVIL}”.`);
  api.reply('GET /api/search', { code: 'bad_request', detail: 'the quotes do not match' }, 400);
  await box.fill('"half');
  await untilText(page.locator('.results .bad'), 'The search failed: the quotes do not match');
  assert.equal(await page.locator('.results .note').count(), 1, 'and nothing else');
  api.reply('GET /api/search', ({ query }) =>
    query.cursor === 'two' ? { hits: [HITS[1]], next_cursor: null } : { hits: [HITS[0]], next_cursor: 'two' },
  );
  await box.fill('price');
  await page.getByRole('button', { name: 'Show more' }).click();
  await untilText(page.locator('.results h2').nth(1), 'Untitled');
  assert.equal(await page.locator('.results mark').count(), 2);
  assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
});

test('Esc empties the box and does not stop the answer', async () => {
  const { page, session } = await suite.open();
  await page.getByRole('textbox').fill('Hello');
  await page.keyboard.press('Enter');
  session.startAnswer((await session.next('user_message')).id).token('Well');
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await page.getByRole('searchbox').fill('price');
  await page.locator('.results').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.results').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('searchbox').inputValue(), '');
  assert.equal(session.received.some(({ type }) => type === 'cancel'), false);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong with the results: ${colorScheme}`, async () => {
    const { page, api } = await suite.open({ colorScheme, bypassCSP: true });
    api.reply('GET /api/search', { hits: HITS, next_cursor: 'two' });
    await page.getByRole('searchbox').fill('price');
    await page.locator('.results mark').first().waitFor();
    assert.deepEqual(await violations(page), []);
  });
}

test('on a phone a result closes the drawer', async () => {
  const { page, api } = await suite.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  api.reply('GET /api/search', { hits: HITS, next_cursor: null });
  await page.getByRole('button', { name: 'List of conversations' }).click();
  await page.getByRole('searchbox').fill('price');
  await page.getByRole('link', { name: 'a price again' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.match(page.url(), /session=b&at=2$/);
});
