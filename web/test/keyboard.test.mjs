// The whole journey without a mouse, and without a shortcut of ours: Tab, Enter, Esc and the arrows
// alone, with the real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilText } from './support/page-suite.mjs';
import { serverSuite } from './support/server-suite.mjs';

const suite = serverSuite();
/** So many presses of Tab reach everything there is on a page of this size. */
const MOST_TABS = 80;

/** The name that the focused element has for a screen reader, or what is written in it. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const words = [element?.tagName, element?.ariaLabel ?? element?.title, element?.innerText];
    return words.join(' ').replaceAll(/\s+/g, ' ');
  });

/** Whether the focused element, or the box that it fills, has an outline. Runs in the page. */
function isOutlined() {
  const element = document.activeElement;
  return [element, element.parentElement].some((it) => getComputedStyle(it).outlineStyle !== 'none');
}

/** Goes on to the element with this name, and takes care that one sees where the focus is. */
async function tabTo(page, name, key = 'Tab') {
  for (let step = 0; step < MOST_TABS; step += 1) {
    if (name.test(await focused(page))) {
      assert.ok(await page.evaluate(isOutlined), `one sees where the focus is: ${await focused(page)}`);
      return;
    }
    await page.keyboard.press(key);
  }
  assert.fail(`no press of ${key} reaches ${name}; the focus is on ${await focused(page)}`);
}

async function press(page, name, key) {
  await tabTo(page, name, key);
  await page.keyboard.press('Enter');
}

test('everything is reached by keyboard: asking, tools, inspector, search, sessions, analytics, the end', async () => {
  const page = await suite.open();
  await page.setViewportSize({ width: 1400, height: 900 });
  await untilText(page.locator('.connection'), 'Connected');
  assert.match(await focused(page), /^TEXTAREA/, 'one can write at once');
  await page.keyboard.type('What is 15% of 240?');
  await page.keyboard.press('Enter');
  await page.locator('.measures').waitFor();

  await press(page, /^SUMMARY .*calculator/, 'Shift+Tab');
  await page.locator('.tool dl').waitFor();
  await press(page, /^BUTTON .*Inspector/i, 'Shift+Tab');
  await page.getByRole('complementary', { name: 'Inspector' }).waitFor();
  await press(page, /^BUTTON .*user_message/, 'Tab');
  await untilText(page.locator('.inspector pre'), /"content": "What is 15% of 240\?"/);

  await press(page, /^BUTTON .*Settings/, 'Tab');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await tabTo(page, /^BUTTON .*Settings/);

  await tabTo(page, /^INPUT .*Search/i, 'Shift+Tab');
  await page.keyboard.type('240');
  await press(page, /^A .*240/, 'Tab');
  await page.waitForURL(/at=\d+/);

  await press(page, /^(A|BUTTON) .*Analytics/, 'Shift+Tab');
  await page.waitForURL(/view=analytics/);
  await page.goBack();
  await press(page, /^BUTTON .*End session/, 'Tab');
  await page.getByRole('button', { name: 'New conversation' }).waitFor();
});
