// What the user chooses, the keys, and what the page says of the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

async function open(options) {
  const opened = await suite.open(options);
  await untilText(opened.page.locator('.connection'), 'Connected');
  return opened;
}

const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);

test('a theme is chosen, kept, and there before anything is drawn', async () => {
  const { page } = await open({ colorScheme: 'light' });
  assert.equal(await theme(page), 'light');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  assert.equal(await theme(page), 'dark');
  // As it is when the page's own script has not run.
  await page.route(/\/assets\/app-.*\.js/, (route) => route.abort());
  await page.reload();
  assert.equal(await theme(page), 'dark');
});

test('keys do what the sheet says, not while somebody writes, and not when they are switched off', async () => {
  const { page } = await open();
  await page.getByRole('textbox').focus();
  await page.keyboard.type('?');
  assert.equal(await page.getByRole('textbox').inputValue(), '?');
  await page.getByRole('log').focus();
  await page.keyboard.press('?');
  await untilText(page.getByRole('dialog').getByRole('heading', { level: 2 }), 'Keyboard shortcuts');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search');

  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('checkbox', { name: 'Keyboard shortcuts' }).uncheck();
  await page.keyboard.press('Escape');
  await page.getByRole('log').focus();
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  assert.equal(await page.getByRole('dialog').count(), 0);
});

test('the palette finds a command by its words and runs it', async () => {
  const { page } = await open();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('analyt');
  await page.keyboard.press('Enter');
  await page.waitForURL(/view=analytics/);
  await page.getByRole('heading', { name: 'Analytics' }).waitFor();
});

test('Esc closes a dialog, gives the focus back, and stops no answer', async () => {
  const { page, session } = await open();
  await page.getByRole('textbox').fill('Hello');
  await page.keyboard.press('Enter');
  session.startAnswer((await session.next('user_message')).id).token('One');
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'message');
  assert.equal(session.received.some(({ type }) => type === 'cancel'), false);
});

test('where the server offers routes one is chosen, kept, and goes with what is said', async () => {
  const { page, session, api } = await suite.open({ path: '/?view=analytics' });
  const route = (name, choice) => ({ name, provider: 'test', model: `model-${name}`, choice });
  const routes = [route('thorough', { depth: 'deep' }), route('hidden', null)];
  api.reply('GET /api/models', { routes, models: [], providers: [], fallbacks: [], classifier: null });
  await page.goto(new URL(`/?session=${session.id}`, page.url()).href);
  const choice = page.getByRole('combobox', { name: 'Answered by' });
  await choice.selectOption({ label: 'thorough · model-thorough' });
  assert.equal(await choice.getByRole('option').count(), 2);
  await page.getByRole('textbox').fill('Why?');
  await page.keyboard.press('Enter');
  assert.deepEqual((await session.next('user_message')).metadata, { depth: 'deep' });
  await page.reload();
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await choice.inputValue(), 'thorough');
  await choice.selectOption('');
  await page.getByRole('textbox').fill('And now?');
  await page.keyboard.press('Enter');
  await untilText(page.locator('.bubble').last(), 'And now?');
  await page.waitForFunction(() => document.querySelectorAll('[data-delivery=stored]').length === 2);
  assert.equal('metadata' in session.received.findLast(({ type }) => type === 'user_message'), false);
});

test('where the server offers no route there is nothing to choose', async () => {
  const { page } = await open();
  assert.equal(await page.getByRole('combobox').count(), 0);
});

const NOTICES = {
  demo_model: 'Answers come from the offline demo.',
  store_degraded: 'The database is away.',
  provider_failover: 'Another model answers.',
  draining: 'The server restarts.',
};
for (const [code, message] of Object.entries(NOTICES)) {
  test(`a notice is shown and can be put away: ${code}`, async () => {
    const { page, session } = await open();
    session.live({ type: 'notice', code, message });
    const notice = page.locator(`[data-notice=${code}]`);
    await untilText(notice.locator('p').first(), message);
    if (code === 'demo_model') assert.match(await notice.textContent(), /GEMINI_API_KEY or OPENAI_API_KEY/);
    await notice.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
  });
}

test('the trouble of the store is over when the server says so', async () => {
  const { page, session } = await open();
  session.live({ type: 'notice', code: 'store_degraded', message: 'The database is away.' });
  await page.locator('[data-notice=store_degraded]').waitFor();
  session.live({ type: 'notice', code: 'store_recovered', message: 'It is back.' });
  await page.locator('[data-notice=store_degraded]').waitFor({ state: 'detached' });
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong with settings, shortcuts and palette: ${colorScheme}`, async () => {
    const { page } = await open({ colorScheme, bypassCSP: true });
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('radio').first().waitFor();
    assert.deepEqual(await violations(page), [], 'settings');
    await page.keyboard.press('Escape');
    await page.getByRole('log').focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await violations(page), [], 'shortcuts');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').waitFor();
    assert.deepEqual(await violations(page), [], 'palette');
  });
}
