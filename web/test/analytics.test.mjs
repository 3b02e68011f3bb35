// What all sessions came to, over time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();
const PATH = '/?view=analytics';
const HOSTILE = '<img src=x onerror=alert(1)>\u202e"\'';
const DAY_MS = 86_400_000;
const ROW = {
  provider: null, model: null, route: null, sessions: 12, user_messages: 40, answers: 40, failed_answers: 2,
  input_tokens: 12_000, output_tokens: 3_400, cost_usd: 0.25, cost_unknown: 0,
  first_token_p50_ms: 212, first_token_p95_ms: 800, total_p50_ms: 1_950, total_p95_ms: 6_100,
  tool_calls: 9, tool_failures: 1,
};
const GROUPS = [
  { provider: 'test', model: 'scripted-1', answers: 30, sessions: 9 },
  { provider: 'test', model: HOSTILE, answers: 10, cost_usd: null, cost_unknown: 10 },
];

/** Answers as a server on which something happened yesterday, and on the day before. */
function busy(fields = {}) {
  return ({ query }) => {
    const { from, to, bucket, group_by } = query;
    const start = Math.floor(Date.parse(to) / DAY_MS) * DAY_MS;
    const times = bucket === 'all' ? [from] : [start - 2 * DAY_MS, start - DAY_MS].map((time) => new Date(time).toISOString());
    const groups = group_by === undefined ? [{}] : group_by === 'provider' ? [{ provider: 'test' }] : GROUPS;
    return { from, to, rows: times.flatMap((time) => groups.map((group) => ({ ...ROW, ...fields, ...group, start: time }))) };
  };
}

/** Opens the page on such a server. */
async function open(options = {}, fields = {}) {
  // The server is told before the page asks.
  const { page, api } = await suite.open({ path: '/?session=elsewhere', ...options });
  api.reply('GET /api/analytics', busy(fields));
  await page.goto(new URL(PATH, page.url()).href);
  await page.locator('.totals').waitFor();
  return { page, api };
}

const asked = (api) => api.requests.filter(({ path }) => path === '/api/analytics').map(({ query }) => query);
const isDrawn = (canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value !== 0);
};
/** The colours on a canvas, as one number. */
const ink = (canvas) =>
  canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, value) => (31 * sum + value) % 1e9, 0);

test('four numbers, plots and the breakdown are there', async () => {
  const { page, api } = await open();
  const numbers = await page.locator('.totals > div').allInnerTexts();
  assert.match(numbers[0], /Sessions\s+12/);
  assert.match(numbers[1], /Answers\s+40\s+2 failed/);
  assert.match(numbers[2], /Tokens\s+15,400\s+12,000 in, 3,400 out/);
  assert.match(numbers[3], /Cost\s+\$0\.25/);
  assert.deepEqual(await page.locator('.multiple h3').allTextContents(), [
    'Tokens', 'First token', 'Whole answer', 'Tool calls', 'Sessions', 'Cost',
  ]);
  for (const canvas of await page.locator('.multiple canvas').all()) assert.equal(await canvas.evaluate(isDrawn), true);
  assert.equal(await page.getByRole('img', { name: /^First token\. Highest: p95 800 ms, p50 212 ms/ }).count(), 1);
  const groups = await page.getByRole('rowheader').allTextContents();
  assert.deepEqual(groups, ['test / scripted-1', `test / ${HOSTILE}`]);
  assert.equal(await page.locator('.analytics img').count(), 0);
  const [{ from, to }] = asked(api);
  assert.equal(Date.parse(to) - Date.parse(from), 30 * DAY_MS);
});

test('a cost that is not known is not told as a zero', async () => {
  const { page } = await open({}, { cost_usd: null, cost_unknown: 40 });
  await untilText(page.locator('.totals .figure').last(), 'not known');
  await untilText(page.locator('.totals .note').last(), 'the cost of 40 answers is not known');
});

test('other ranges ask for other times and buckets, and the choice is kept', async () => {
  const { page, api } = await open();
  for (const [name, days, bucket] of [['24 h', 1, 'hour'], ['7 d', 7, 'day'], ['1 y', 365, 'week']]) {
    api.requests = [];
    await page.getByRole('button', { name, exact: true }).click();
    await page.locator('.figures[aria-busy=false]').waitFor();
    const queries = asked(api);
    assert.equal(queries.length, 4);
    for (const query of queries) assert.equal(Date.parse(query.to) - Date.parse(query.from), days * DAY_MS);
    assert.deepEqual([...new Set(queries.map((query) => query.bucket))].sort(), ['all', bucket].sort());
  }
  await page.reload();
  await page.locator('.choice [aria-pressed=true]', { hasText: '1 y' }).waitFor();
});

test('the table has a row for every bucket, also for those of nothing', async () => {
  const { page } = await open();
  await page.getByRole('button', { name: '7 d', exact: true }).click();
  await page.locator('.figures[aria-busy=false]').waitFor();
  await page.getByRole('button', { name: 'View as table' }).click();
  const table = page.getByRole('table', { name: 'Figures over time' });
  const rows = await table.locator('tbody tr').allInnerTexts();
  assert.equal(rows.length, 8);
  assert.match(rows[0], /^\d+ \w+ \d{4}\s+0\s+0\s+0\s+0\s+0\s+–\s+–\s+–\s+–\s+0\s+0\s+\$0/);
  assert.match(rows[5], /12\s+40\s+2\s+12,000\s+3,400\s+212 ms\s+800 ms\s+1\.95 s\s+6\.10 s\s+9\s+1\s+\$0\.25/);
  assert.equal(await page.locator('.multiple').count(), 0);
  await page.getByRole('button', { name: 'View as plots' }).click();
  await page.locator('.multiple canvas').first().waitFor();
});

test('one model or provider can be looked at alone', async () => {
  const { page } = await open();
  await page.getByLabel('Figures of').selectOption({ label: 'test / scripted-1' });
  await untilText(page.locator('.totals .figure').first(), '9');
  await untilText(page.locator('.totals .note').first(), 'with an answer of this group');
  await page.getByRole('button', { name: 'Provider', exact: true }).click();
  await untilText(page.locator('tbody th').first(), 'test');
  await untilText(page.locator('.totals .figure').first(), '12');
});

test('the cursor tells the figures of a time in every plot', async () => {
  const { page } = await open();
  await page.getByRole('button', { name: '7 d', exact: true }).click();
  await page.locator('.figures[aria-busy=false]').waitFor();
  const { x, y, width, height } = await page.locator('.multiple .u-over').first().boundingBox();
  await page.mouse.move(x + (6.5 / 8) * width, y + height / 2);
  await untilText(page.locator('.multiple ul').nth(0), /in 12,000.*out 3,400/);
  await untilText(page.locator('.multiple ul').nth(3), /calls 9.*failed 1/);
  assert.equal(new Set(await page.locator('.multiple .when').allTextContents()).size, 1);
});

test('plots take the colours of the theme, the room there is, and go when the page does', async () => {
  const { page } = await open({ colorScheme: 'light' });
  const canvas = page.locator('.multiple canvas').first();
  const light = await canvas.evaluate(ink);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await page.waitForTimeout(200);
  assert.notEqual(await canvas.evaluate(ink), light);
  const before = (await canvas.boundingBox()).width;
  await page.setViewportSize({ width: 500, height: 800 });
  await page.waitForFunction((width) => document.querySelector('.multiple canvas').clientWidth !== width, Math.round(before));
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0);
  await page.getByRole('button', { name: 'New conversation' }).click();
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await page.locator('.uplot').count(), 0);
});

test('a server on which nothing happened says so', async () => {
  const { page } = await suite.open({ path: PATH });
  await untilText(page.locator('.figures .empty'), /^Nothing happened in this time/);
  assert.equal(await page.locator('canvas').count(), 0);
});

test('what the server refuses is told, and can be tried again', async () => {
  const { page, api } = await suite.open({ path: PATH });
  await page.locator('.figures .empty').waitFor();
  const detail = `the store does not answer ${HOSTILE}`;
  api.reply('GET /api/analytics', { type: 'about:blank', title: 'x', status: 503, code: 'store_unavailable', detail }, 503);
  await page.getByRole('button', { name: '24 h', exact: true }).click();
  await untilText(page.locator('.failure p'), `The figures could not be had. ${detail}`);
  api.reply('GET /api/analytics', busy());
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.totals').waitFor();
  assert.equal(await page.locator('.failure').count(), 0);
});

test('plots are not part of the first load', async () => {
  const { page } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).length);
  const before = await loaded();
  await page.evaluate(() => {
    history.pushState(null, '', '?view=analytics');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await page.locator('.figures .empty').waitFor();
  assert.ok((await loaded()) > before);
});

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'a phone': { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
for (const [name, options] of Object.entries(LOOKS)) {
  test(`axe finds nothing wrong: ${name}`, async () => {
    const { page } = await open({ ...options, bypassCSP: true });
    assert.deepEqual(await violations(page), [], 'with plots');
    await page.getByRole('button', { name: 'View as table' }).click();
    assert.deepEqual(await violations(page), [], 'as a table');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, 'the page does not scroll sideways');
  });
}
