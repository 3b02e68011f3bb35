// What the server wants a person to know: one calm line each, to be put away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();
const WELL = {
  status: 'ok',
  version: '0.0.0',
  uptime_seconds: 60,
  draining: false,
  store: { kind: 'memory', status: 'ok', latency_ms: 1, since: '2026-11-21T09:30:00Z' },
  spool: null,
  recovered: true,
  model: { provider: 'test', model: 'scripted-1' },
  circuits: [],
  sessions: { live: 1 },
  connections: { open: 1 },
};
const OPEN_CIRCUIT = {
  provider: 'test',
  model: 'scripted-1',
  state: 'open',
  requests: 5,
  failures: 5,
  retry_after_ms: 1_000,
  since: '2026-11-21T09:30:00Z',
};

const NOTICES = {
  demo_model: 'Answers come from the offline demo.',
  store_degraded: 'The database is away. Answers go on.',
  provider_failover: '<b>gemini</b> does not answer; openai does.',
  draining: 'The server is about to restart.',
};

for (const [code, message] of Object.entries(NOTICES)) {
  test(`${code} is one line, and goes when it is put away`, async () => {
    const { page, session } = await suite.open();
    await untilText(page.locator('.connection'), 'Connected');
    session.live({ type: 'notice', code, message });
    await untilText(page.locator(`[data-notice=${code}] p`), message);
    assert.equal(await page.locator('[data-notice]').count(), 1);
    assert.equal(await page.getByRole('alert').textContent(), '', 'nobody is alarmed');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.locator('[data-notice]').waitFor({ state: 'detached' });
    session.live({ type: 'notice', code, message });
    await page.waitForTimeout(200);
    assert.equal(await page.locator('[data-notice]').count(), 0, 'it is no news');
  });
}

test('the demo model says how to have a real one, once', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.live({ type: 'notice', code: 'demo_model', message: 'A demo.' });
  await untilText(page.locator('[data-notice=demo_model] .advice'), /GEMINI_API_KEY or OPENAI_API_KEY/);
  session.live({ type: 'notice', code: 'demo_model', message: 'A demo. Set GEMINI_API_KEY or OPENAI_API_KEY.' });
  await page.locator('.advice').waitFor({ state: 'detached' });
});

test('trouble that is over goes, and is news when it comes back', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  const degraded = page.locator('[data-notice=store_degraded]');
  const tell = (code) => session.live({ type: 'notice', code, message: NOTICES[code] ?? 'It is back.' });
  tell('store_degraded');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await degraded.waitFor({ state: 'detached' });
  tell('store_recovered');
  await page.waitForTimeout(200);
  tell('store_degraded');
  await degraded.waitFor();
  tell('store_recovered');
  await degraded.waitFor({ state: 'detached' });
});

test('the server’s health says the same before there is a connection', async () => {
  const { page: first, session, api } = await suite.open({ path: '/?view=analytics' });
  await first.context().close();
  session.away = true;
  api.reply('GET /health', {
    ...WELL,
    status: 'down',
    draining: true,
    store: { ...WELL.store, status: 'down' },
    circuits: [OPEN_CIRCUIT, { ...OPEN_CIRCUIT, model: 'another' }],
  }, 503);
  const { page } = await suite.open();
  await page.locator('[data-notice=draining]').waitFor();
  const codes = await page.locator('[data-notice]').evaluateAll((all) => all.map((line) => line.dataset.notice));
  assert.deepEqual(codes, ['store_degraded', 'provider_failover', 'draining']);
  api.reply('GET /health', { ...WELL, model: { provider: 'demo', model: 'demo' } });
  await page.evaluate(() => dispatchEvent(new Event('focus')));
  await untilText(page.locator('[data-notice]'), /offline demo.*GEMINI_API_KEY/);
});

for (const options of [
  { colorScheme: 'light' },
  { colorScheme: 'dark' },
  { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
]) {
  test(`axe finds nothing wrong with the notices: ${options.colorScheme}${options.isMobile ? ', a phone' : ''}`, async () => {
    const { page, session } = await suite.open({ ...options, bypassCSP: true });
    await untilText(page.locator('.connection'), 'Connected');
    for (const [code, message] of Object.entries(NOTICES)) session.live({ type: 'notice', code, message });
    await page.locator('[data-notice=draining]').waitFor();
    assert.deepEqual(await violations(page), []);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, 'the page does not scroll sideways');
  });
}
