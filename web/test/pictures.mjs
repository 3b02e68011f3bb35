// Takes a picture of every view in light, dark and on a phone: `node test/pictures.mjs FOLDER`. For people to
// look at after a change; it says nothing of what is right.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildIntoTemporaryDirectory, openPage, say, startBrowser } from './support/browser.mjs';
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

const folder = process.argv[2] ?? 'pictures';
await mkdir(folder, { recursive: true });
const built = await buildIntoTemporaryDirectory();
const browser = await startBrowser();
const server = await startFakeServer(built.directory);
for (const [device, options] of Object.entries(DEVICES)) {
  for (const [view, show] of Object.entries(VIEWS())) {
    const session = server.session(`${device}-${view}`);
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
    ended: async (page, session) => {
      await said(page, session);
      await page.getByRole('button', { name: 'End session' }).click();
      await page.getByRole('button', { name: 'New conversation' }).first().waitFor();
    },
  };
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
