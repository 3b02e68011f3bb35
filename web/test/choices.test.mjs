// What the user chooses: the theme, the shortcuts, and by shortcut and palette where to go.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/axe.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';
import { store, stored } from './support/stored.mjs';

const suite = pageSuite();
const EVIL = '<img src=x onerror="document.title=1">';
const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme);

/** Leaves the message box, in which a letter is a letter. */
async function leaveBox(page) {
  await untilText(page.locator('.connection'), /Connected|Asleep/);
  await page.getByRole('log').focus();
}

test('the theme is chosen in the settings and kept', async () => {
  const { page } = await suite.open({ colorScheme: 'light' });
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await page.reload();
  assert.equal(await theme(page), 'dark');
  await page.getByRole('button', { name: 'Settings' }).click();
  assert.equal(await page.getByRole('radio', { name: 'Dark' }).isChecked(), true);
  await page.getByRole('radio', { name: 'As the system has it' }).check();
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
  await untilText(page.getByRole('dialog').locator('.server-facts'), /test \/ scripted-1.*memory, in order/);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Settings');
});

test('a question mark shows the shortcuts, but not where somebody writes', async () => {
  const { page } = await suite.open();
  await leaveBox(page);
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await untilText(sheet.locator('.shortcuts').first(), /CtrlK[\s\S]*Search[\s\S]*Start a new conversation/);
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });
  await page.getByRole('textbox').focus();
  await page.keyboard.press('?');
  assert.equal(await page.getByRole('textbox').inputValue(), '?');
  assert.equal(await page.getByRole('dialog').count(), 0);
});

test('the shortcuts can be switched off', async () => {
  const { page } = await suite.open();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('checkbox', { name: 'Keyboard shortcuts' }).uncheck();
  await page.getByRole('button', { name: 'Show all shortcuts' }).click();
  await untilText(page.getByRole('dialog').locator('.note'), /switched off/);
  await page.getByRole('button', { name: 'Close' }).click();
  await leaveBox(page);
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  await page.waitForTimeout(300);
  assert.equal(await page.getByRole('dialog').count(), 0);
});

test('keys lead to the search, to a new conversation, and up and down the list', async () => {
  const { page, session, api } = await suite.open();
  store(api, stored(session.id, { metadata: { title: 'Above' } }), stored('b', { metadata: { title: 'Below' } }));
  await page.evaluate(() => dispatchEvent(new Event('focus')));
  await page.getByRole('link', { name: 'Below' }).waitFor();
  await leaveBox(page);
  await page.keyboard.press('j');
  await page.waitForURL(/session=b$/);
  await leaveBox(page);
  await page.keyboard.press('k');
  await page.waitForURL(new RegExp(`session=${session.id}$`));
  await leaveBox(page);
  await page.keyboard.press('[');
  await page.locator('.sidebar').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'search');
  await leaveBox(page);
  await page.keyboard.press('n');
  await page.waitForURL(/session=[0-9a-f-]{36}$/);
});

test('the palette finds commands and conversations, also from the message box', async () => {
  const { page, api } = await suite.open();
  store(api, stored('evil', { metadata: { title: EVIL } }), stored('a', { metadata: { title: 'Apples' } }));
  await untilText(page.locator('.connection'), 'Connected');
  await page.getByRole('textbox').focus();
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Command or conversation' });
  await box.waitFor();
  assert.equal(await box.evaluate((element) => element === document.activeElement), true);
  await box.fill('theme dark');
  await untilText(page.getByRole('option'), 'Theme: Dark');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await box.waitFor({ state: 'detached' });

  await page.keyboard.press('Control+k');
  await box.fill('onerror');
  await untilText(page.getByRole('option'), EVIL);
  await box.fill('nothing is called so');
  await untilText(page.locator('.palette .note'), 'Nothing matches.');
  await box.fill('the');
  await page.keyboard.press('ArrowUp');
  const active = await box.getAttribute('aria-activedescendant');
  assert.equal(await page.locator(`[id="${active}"]`).getAttribute('aria-selected'), 'true');
  assert.equal(await page.getByRole('option').last().getAttribute('id'), active, 'from the first to the last');
  await box.fill('apples');
  await page.keyboard.press('Enter');
  await page.waitForURL(/session=a$/);
  assert.notEqual(await page.title(), '1');
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing wrong with settings, shortcuts and palette: ${colorScheme}`, async () => {
    const { page } = await suite.open({ colorScheme, bypassCSP: true });
    await leaveBox(page);
    const steps = { ',': '.choice', '?': '.shortcuts', 'Control+k': '[role=option]' };
    for (const [keys, part] of Object.entries(steps)) {
      await page.keyboard.press(keys);
      await page.locator(`dialog ${part}`).first().waitFor();
      assert.deepEqual(await violations(page), [], keys);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByRole('log').focus();
    }
  });
}

test('the dialogs fit on a phone', async () => {
  const { page } = await suite.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await page.getByRole('button', { name: 'List of conversations' }).click();
  await page.getByRole('button', { name: 'Settings' }).click();
  const dialog = page.getByRole('dialog', { name: 'Settings' });
  await dialog.waitFor();
  const overflow = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.ok(overflow <= 0);
  const { x, width } = await dialog.boundingBox();
  assert.ok(x >= 0 && x + width <= 390);
});
