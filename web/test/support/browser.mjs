// Chromium, and the page in it, for the browser tests.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { buildPage } from '../../build.mjs';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's: the first has no windows, and takes half the time. */
const INSTALLED = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

/** How Chromium is started: the one named by CHROMIUM, or Debian's. */
function launchOptions() {
  const named = process.env.CHROMIUM;
  const executablePath = (named === undefined ? INSTALLED : [named]).find(existsSync);
  if (executablePath === undefined) {
    const where = named ?? INSTALLED.join(' or ');
    throw new Error(
      `there is no Chromium at ${where}: install it (Debian: apt-get install chromium-headless-shell) or name it in CHROMIUM`,
    );
  }
  return { executablePath, args: FLAGS };
}

/** Starts a browser that several processes can use. */
export const launchBrowserServer = () => chromium.launchServer(launchOptions());

/** The browser that `run.mjs` started for all files, or one of this file's own. */
export async function startBrowser() {
  const shared = process.env.PATTER_TEST_BROWSER;
  return shared ? chromium.connect(shared) : chromium.launch(launchOptions());
}

/** Builds the page into a directory of its own. `remove` takes it away again. */
export async function buildIntoTemporaryDirectory() {
  const directory = await mkdtemp(join(tmpdir(), 'patter-page-'));
  const page = join(directory, 'page');
  await buildPage(page);
  return { directory: page, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** The page that `run.mjs` built for all files, or one of this file's own. */
export async function builtPage() {
  const shared = process.env.PATTER_TEST_PAGE;
  return shared ? { directory: shared, remove: async () => {} } : buildIntoTemporaryDirectory();
}

/** Opens a page that writes down what must not happen: errors, and breaches of the
 *  Content-Security-Policy. The test looks at `page.faults`. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) page.faults.push(message.text());
  });
  page.on('dialog', (dialog) => {
    page.faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return page;
}

/** Writes a message and sends it. */
export async function say(page, text) {
  await page.getByRole('textbox').fill(text);
  await page.keyboard.press('Enter');
}
