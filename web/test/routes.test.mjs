// Routes that the server lets people choose.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

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
  const { page } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  assert.equal(await page.getByRole('combobox').count(), 0);
});
