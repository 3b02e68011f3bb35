// The frame around the views: addresses, the Back button, the theme.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();
const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);

test('analytics have an address, and Back leads to the conversation', async () => {
  const { page, session } = await suite.open({ path: '/?view=analytics', bypassCSP: true });
  await page.getByRole('heading', { name: 'Analytics' }).waitFor();
  assert.equal(session.attached.length, 0, 'no session is opened by looking at them');
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'New conversation' }).click();
  await untilText(page.locator('.connection'), 'Connected');
  await page.goBack();
  await page.getByRole('heading', { name: 'Analytics' }).waitFor();
  await page.goForward();
  await untilText(page.locator('.connection'), 'Connected');
});

test('the skip link does not disturb the conversation', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await page.getByRole('link', { name: 'Skip to the message box' }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'message');
  assert.deepEqual(session.attached, [null]);
});

test('the theme is the system’s until another is chosen, also in another tab', async () => {
  const { page } = await suite.open({ colorScheme: 'dark' });
  assert.equal(await theme(page), 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
  await page.evaluate(() => localStorage.setItem('patter.theme', '"dark"'));
  await page.reload({ waitUntil: 'commit' });
  await page.waitForFunction(() => document.documentElement?.dataset.theme === 'dark');
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await theme(page), 'dark');

  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.evaluate(() => localStorage.setItem('patter.theme', '"light"'));
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
});
