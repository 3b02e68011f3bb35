// Runs tests of the page beside each other: `node test/run.mjs [FILE...]`, without a name all.
//
// What every file would otherwise start for itself is here once for all: the built page, and a
// browser. Each test opens a window of its own in it, and shares nothing with another one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildIntoTemporaryDirectory, launchBrowserServer } from './support/browser.mjs';

/** Tests wait more than they compute, so that more of them than there are cores go well together. */
const FILES_AT_ONCE = 4;

/** The slowest first, so that none of them is left over at the end while cores are idle. */
const SLOWEST = ['reconnect', 'sidebar', 'accessibility', 'access', 'limits', 'restart', 'upstream', 'inspector'];

async function allFiles() {
  const names = (await readdir(here)).filter((name) => name.endsWith('.test.mjs'));
  const rank = (name) => (SLOWEST.indexOf(name.split('.')[0]) + SLOWEST.length + 1) % (SLOWEST.length + 1);
  return names.sort((one, other) => rank(one) - rank(other)).map((name) => here + name);
}

const here = fileURLToPath(new URL('.', import.meta.url));
const named = process.argv.slice(2);
const files = named.length > 0 ? named : await allFiles();
const page = await buildIntoTemporaryDirectory();
const browser = await launchBrowserServer();
try {
  const tests = spawn(process.execPath, ['--test', `--test-concurrency=${FILES_AT_ONCE}`, ...files], {
    env: { ...process.env, PATTER_TEST_PAGE: page.directory, PATTER_TEST_BROWSER: browser.wsEndpoint() },
    stdio: 'inherit',
  });
  const [code] = await once(tests, 'exit');
  process.exitCode = code ?? 1;
} finally {
  await browser.close();
  await page.remove();
}
