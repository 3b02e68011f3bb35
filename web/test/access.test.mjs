// Signing in: the page asks when the server does, nothing written is lost over it, and nothing of one user is
// left for the next.

import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { say } from './support/browser.mjs';
import { problem, tokenFor } from './support/fake-access.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();
const ANN = tokenFor('ann');
const BOB = tokenFor('bob');
const dialogOf = (page) => page.getByRole('dialog', { name: 'Sign in' });
const bearer = (token) => ['patter.v1', `base64url.bearer.${Buffer.from(token).toString('base64url')}`];

async function signIn(page, token) {
  await dialogOf(page).getByLabel('Access token').fill(token);
  await page.keyboard.press('Enter');
}

test('without authentication nobody is asked, and nothing more is sent', async () => {
  const { page, api } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  assert.deepEqual(suite.access.offered, [null]);
  assert.ok(api.requests.every(({ token }) => token === undefined));
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('radio').first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 0);
});

test('the page asks for a token, says what is wrong with one, and goes on with a good one', async () => {
  suite.access.require([ANN], { forbidden: ['service'] });
  const { page, session } = await suite.open();
  const dialog = dialogOf(page);
  await dialog.getByText('This server lets in only those whom it knows.').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await untilText(page.locator('.connection'), 'Signed out');
  await page.locator('#message').fill('Written before');
  await page.keyboard.press('Enter');
  await untilText(page.locator('.said .note'), 'Will be sent when connected');
  assert.deepEqual(suite.access.offered, [], 'nobody knocks without a token');

  await page.locator('[data-strip=access]').getByRole('button', { name: 'Sign in' }).click();
  const box = dialog.getByLabel('Access token');
  await box.waitFor();
  assert.equal(await box.evaluate((element) => element === document.activeElement), true);
  assert.equal(await box.getAttribute('type'), 'password');
  const alert = dialog.getByRole('alert');
  await signIn(page, 'two words');
  await untilText(alert, /^That is no access token/);
  await signIn(page, 'wrong');
  await untilText(alert, 'The server does not take this token: the token is not valid here.');
  await signIn(page, 'service');
  await untilText(alert, 'You may not do or see this: this key names no user');
  assert.equal(await page.evaluate(() => sessionStorage.getItem('patter.token')), null);
  await signIn(page, `  Bearer ${ANN} `);
  await dialog.waitFor({ state: 'detached' });
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal((await session.next('user_message')).content, 'Written before');
  assert.deepEqual(suite.access.offered, [bearer(ANN)]);

  await page.reload();
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await dialog.count(), 0, 'the tab knows it still');
  assert.ok(!page.url().includes(ANN));
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(ANN));
});

test('a token that runs out costs nothing that was written, and another is taken over while connected', async () => {
  suite.access.require([ANN]);
  const { page, session } = await suite.open();
  await dialogOf(page).waitFor();
  await signIn(page, ANN);
  await untilText(page.locator('.connection'), 'Connected');
  const fresh = tokenFor('ann', 2);
  suite.access.require([fresh]);
  await page.locator('#message').pressSequentially('half a sen');
  session.closeAll(4401);
  await page.locator('[data-strip=access]').waitFor();
  assert.equal(await dialogOf(page).count(), 0, 'not while somebody writes');
  await page.locator('#message').pressSequentially('tence');
  await page.keyboard.press('Enter');
  await page.locator('#message').fill('and a draft');
  await dialogOf(page).getByText(/no longer takes your access token/).waitFor();
  await signIn(page, fresh);
  assert.equal((await session.next('user_message')).content, 'half a sentence');
  assert.equal(await page.locator('#message').inputValue(), 'and a draft');
  assert.deepEqual(suite.access.offered.at(-1), bearer(fresh));

  const fresher = tokenFor('ann', 3);
  suite.access.require([fresher]);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByText('Signed in as ann.').waitFor();
  await page.getByRole('button', { name: 'Use another token' }).click();
  await signIn(page, fresher);
  assert.deepEqual(await session.next('auth_refresh'), { type: 'auth_refresh', token: fresher, seen: true });
});

test('another user begins with nothing of the one before, and so does who signs out', async () => {
  suite.access.require([ANN, BOB]);
  const { page, session } = await suite.open();
  await dialogOf(page).waitFor();
  await signIn(page, ANN);
  await untilText(page.locator('.connection'), 'Connected');
  session.silent = true;
  await say(page, 'Of Ann alone');
  await page.locator('#message').fill('draft of Ann');
  const asAnn = page.url();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Use another token' }).click();
  await signIn(page, BOB);
  await page.waitForURL((url) => url.href !== asAnn);
  session.silent = false;
  session.received = [];
  await page.goto(asAnn);
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await page.locator('#message').inputValue(), '');
  assert.deepEqual(session.received.filter(({ type }) => type === 'user_message'), []);
  assert.equal(await page.getByText('Of Ann alone').count(), 0);

  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await dialogOf(page).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage)), '{}');
});

test('a download carries the token', async () => {
  suite.access.require([ANN]);
  const { page, session, api } = await suite.open();
  await dialogOf(page).waitFor();
  await signIn(page, ANN);
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'Hello');
  await session.next('user_message');
  const endpoint = `GET /api/sessions/${session.id}/export`;
  api.reply(endpoint, { some: 'thing' }, 200, { 'content-disposition': 'attachment; filename="talk.json"' });
  await page.getByRole('button', { name: 'Options' }).first().click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'JSON', exact: true }).click()]);
  assert.equal(download.suggestedFilename(), 'talk.json');
  assert.equal(await text(await download.createReadStream()), '{"some":"thing"}');
  api.reply(endpoint, problem(429, 'rate_limited', 'too many downloads').body, 429, { 'retry-after': '30' });
  await page.getByRole('button', { name: 'Markdown' }).click();
  await untilText(page.locator('dialog .bad'), /Too much at once \(too many downloads\)\. It goes on at \d\d:\d\d:\d\d\./);
});

test('who may not, and who has used up what there is, is told so in plain words', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'Hello');
  await session.next('user_message');
  const resets_at = new Date(Date.now() + 86_400_000).toISOString();
  session.live({ type: 'error', code: 'limit_reached', message: 'spent', retryable: false, details: { limit: 'user_day_tokens', remaining: 0, resets_at } });
  await untilText(page.locator('.problem'), /What you may use in a day is used up\. At .*\d\d:\d\d it goes on\./);
  session.closeAll(4403);
  await untilText(page.locator('[data-strip=connection] strong'), /You may not, or no longer, take part/);
  await page.waitForTimeout(1_000);
  assert.equal(session.attached.length, 1, 'it does not come back by itself');
});

for (const options of [
  { colorScheme: 'light' },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
]) {
  test(`axe finds nothing wrong with signing in: ${options.colorScheme}${options.isMobile ? ', a phone' : ''}`, async () => {
    suite.access.require([ANN]);
    const { page } = await suite.open({ ...options, bypassCSP: true });
    await dialogOf(page).waitFor();
    await signIn(page, 'wrong');
    await untilText(dialogOf(page).getByRole('alert'), /not valid here/);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Later' }).click();
    await page.locator('[data-strip=access]').waitFor();
    assert.deepEqual(await violations(page), []);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, 'the page does not scroll sideways');
  });
}
