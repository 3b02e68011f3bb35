// Takes a picture of every view in light, dark and on a phone: `node test/pictures.mjs FOLDER`. For people to
// look at after a change; it says nothing of what is right.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { builtPage, openPage, say, startBrowser } from './support/browser.mjs';
import { tokenFor } from './support/fake-access.mjs';
import { startFakeServer } from './support/fake-server.mjs';

const DEVICES = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 820 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 820 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

const ANSWER = [
  'The **fee** is a share of the amount, and grows with it:\n\n',
  '```rust\n/// What is to be paid.\nfn fee(amount: u64) -> u64 {\n    amount * 15 / 100\n}\n```\n\n',
  '| amount | fee |\n|---|--:|\n| 100 | 15 |\n| 240 | 36 |\n\n> Rounded down.\n\n1. Ask for the amount.\n2. Add the fee.\n',
].join('');

const FIGURES = figures();

const TOKEN = tokenFor('ann@example.org');
/** Views of a server that asks who comes. */
const SIGNING_IN = ['sign-in', 'signed-out', 'account'];

const LISTED = [
  ['Fees for the new plan', ['billing', 'draft'], 0],
  ['What is the weather in Lisbon and in Oslo, and which of the two is the warmer place today?', [], 0],
  ['Apples', ['fruit'], 1],
  [null, [], 1],
  ['An older one', [], 40],
].map(([title, tags, days], place) => {
  const start_time = new Date(Date.now() - days * 86_400_000 - place * 60_000).toISOString();
  return {
    session_id: `listed-${place}`,
    user_id: null,
    created_at: start_time,
    start_time,
    updated_at: start_time,
    end_time: place > 1 ? start_time : null,
    is_active: place <= 1,
    is_live: false,
    last_seq: 8,
    epoch: 'epoch-1',
    metadata: { ...(title !== null && { title }), tags },
    metrics: null,
    summary: title === null ? 'The person asked for pears. They were told of apples.' : null,
  };
});
const HITS = ['user_message', 'ai_response', 'ai_response', 'session_ended'].map((type, place) => ({
  session_id: `listed-${place >> 1}`,
  title: LISTED[place >> 1].metadata.title,
  seq: place + 2,
  type,
  at: LISTED[0].start_time,
  score: 1,
  excerpt: [
    { text: 'What is the ', is_match: false },
    { text: 'fee', is_match: true },
    { text: ' for an amount of 240, and does it grow with what is paid?', is_match: false },
  ],
}));

const folder = process.argv[2] ?? 'pictures';
await mkdir(folder, { recursive: true });
const built = await builtPage();
const browser = await startBrowser();
const server = await startFakeServer(built.directory);
for (const [device, options] of Object.entries(DEVICES)) {
  for (const [view, show] of Object.entries(VIEWS())) {
    const session = server.session(`${device}-${view}`);
    server.api.reset();
    server.access.reset();
    server.api.reply('GET /api/analytics', ({ query }) => FIGURES(query));
    if (SIGNING_IN.includes(view)) server.access.require([TOKEN]);
    const page = await openPage(browser, `${server.url}/?session=${session.id}`, options);
    await show(page, session);
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(folder, `${view}-${device}.png`) });
    await page.context().close();
  }
}
await browser.close();
await server.close();
await built.remove();

function VIEWS() {
  return {
    empty: async (page) => void (await page.getByRole('heading').first().waitFor()),
    conversation: async (page, session) => {
      await said(page, session);
      await say(page, 'And for 1000?');
      session.startAnswer((await session.next('user_message')).id).stream('That is **150**, and');
    },
    approval: async (page, session) => {
      await say(page, 'Order ten');
      session.startAnswer((await session.next('user_message')).id).call('order', { amount: 10 }, true);
      await page.getByRole('button', { name: 'Refuse' }).waitFor();
    },
    away: async (page, session) => {
      await said(page, session);
      session.away = true;
      session.cut();
      await page.locator('[data-strip=connection]').waitFor();
      await say(page, 'Written while away');
    },
    inspector: async (page, session) => {
      await said(page, session);
      await page.getByRole('button', { name: 'Inspector' }).click();
      await page.getByRole('complementary').or(page.getByRole('dialog')).first().waitFor();
    },
    sidebar: async (page, session) => {
      server.api.reply('GET /api/sessions', { sessions: LISTED, next_cursor: 'more' });
      await said(page, session);
      await showSidebar(page);
      await page.locator('.sessions li').nth(4).waitFor();
    },
    menu: async (page, session) => {
      server.api.reply('GET /api/sessions', { sessions: LISTED, next_cursor: null });
      await said(page, session);
      await showSidebar(page);
      await page.getByRole('button', { name: /Options/ }).first().click();
      await page.getByRole('button', { name: 'Delete' }).waitFor();
    },
    search: async (page) => {
      server.api.reply('GET /api/sessions', { sessions: LISTED, next_cursor: null });
      server.api.reply('GET /api/search', { hits: HITS, next_cursor: null });
      await showSidebar(page);
      await page.getByRole('searchbox').fill('fee');
      await page.locator('mark').first().waitFor();
    },
    settings: async (page) => {
      await showSidebar(page);
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('radio').first().waitFor();
    },
    'sign-in': async (page) => {
      await signIn(page, 'not-a-good-one');
      await page.getByText('does not take this token').waitFor();
    },
    'signed-out': async (page) => {
      await page.getByRole('button', { name: 'Later' }).click();
      await say(page, 'Written before anybody signed in');
      await page.locator('.said .note').waitFor();
    },
    account: async (page) => {
      await signIn(page, TOKEN);
      await page.locator('.connection', { hasText: 'Connected' }).waitFor();
      await showSidebar(page);
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Sign out' }).scrollIntoViewIfNeeded();
    },
    palette: async (page) => {
      await page.locator('#message').waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
    },
    shortcuts: async (page) => {
      await page.getByRole('log').click();
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
    analytics: async (page) => {
      await page.goto(new URL('/?view=analytics', page.url()).href);
      await page.locator('canvas').first().waitFor();
    },
    ended: async (page, session) => {
      await said(page, session);
      await page.getByRole('button', { name: 'End session' }).click();
      await page.getByRole('button', { name: 'New conversation' }).first().waitFor();
    },
  };
}

async function signIn(page, token) {
  await page.getByLabel('Access token').fill(token);
  await page.keyboard.press('Enter');
}

/** One question, and its answer with a tool. */
async function said(page, session) {
  await say(page, 'What is the fee for 240?');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.succeed(answer.call('calculator', { expression: '15% of 240' }), { result: '36' });
  answer.fail(answer.call('data_fetcher', { query: 'Lisbon' }), { code: 'timeout', message: 'took too long' });
  answer.stream(ANSWER);
  answer.finish();
  await page.locator('.measures').waitFor();
}

/** On a phone it is a drawer, closed at first. */
async function showSidebar(page) {
  const box = page.getByRole('searchbox');
  await page.locator('#message').waitFor();
  if (!(await box.isVisible())) await page.getByRole('button', { name: 'List of conversations' }).first().click();
  await box.waitFor();
}

/** Figures of the last week, as the server would tell them. */
function figures() {
  const row = (start, model, weight) => ({
    start,
    provider: model === null ? null : 'test',
    model,
    route: null,
    sessions: Math.round(12 * weight),
    user_messages: Math.round(40 * weight),
    answers: Math.round(42 * weight),
    failed_answers: Math.round(weight),
    input_tokens: Math.round(90_000 * weight),
    output_tokens: Math.round(18_000 * weight),
    cost_usd: 0.42 * weight,
    cost_unknown: Math.round(2 * weight),
    first_token_p50_ms: Math.round(300 + 120 * weight),
    first_token_p95_ms: Math.round(900 + 400 * weight),
    total_p50_ms: Math.round(2_000 + 500 * weight),
    total_p95_ms: Math.round(6_000 + 3_000 * weight),
    tool_calls: Math.round(20 * weight),
    tool_failures: Math.round(2 * weight),
  });
  return ({ from, to, bucket, group_by }) => {
    const step = { hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_592_000_000 }[bucket];
    const begin = step === undefined ? Date.parse(from) : Math.ceil(Date.parse(from) / step) * step;
    const times = step === undefined ? [begin] : [];
    for (let time = begin; step !== undefined && time < Date.parse(to); time += step) times.push(time);
    const models = group_by ? ['large', 'small'] : [null];
    const rows = times.flatMap((time, place) =>
      models.map((model, index) => row(new Date(time).toISOString(), model, 1 + Math.sin(place + index) / 2)),
    );
    return { from, to, rows };
  };
}
