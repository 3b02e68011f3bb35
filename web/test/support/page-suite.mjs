// What every browser test file needs: one browser, one built page, one fake server, and a fresh
// page for each test, which must end without a fault.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import { builtPage, openPage, startBrowser } from './browser.mjs';
import { startFakeServer } from './fake-server.mjs';

const PLAIN = fileURLToPath(new URL('../../plain', import.meta.url));

/** Registers the hooks. Answers with `open(options)`, which gives a page, its session, and the HTTP
 *  API of the server. `path` opens another address than that of the session. */
export function pageSuite({ plain = false } = {}) {
  let browser, built, server;
  let pages = [];
  let sessions = 0;
  let session;

  before(async () => {
    if (!plain) built = await builtPage();
    // One after the other: what has started is stopped where the next one does not start.
    browser = await startBrowser();
    server = await startFakeServer(built?.directory ?? PLAIN);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await built?.remove();
  });
  beforeEach(() => {
    sessions += 1;
    server.reset();
    session = server.session(`s-${sessions}`);
    pages = [];
  });
  afterEach(async () => {
    const faults = pages.flatMap((page) => page.faults);
    await Promise.all(pages.map((page) => page.context().close()));
    assert.deepEqual(faults, [], 'the page ran into errors or broke its Content-Security-Policy');
  });

  return {
    /** What the server asks of those who come. */
    get access() {
      return server.access;
    },
    async open({ path = `/?session=${session.id}`, ...options } = {}) {
      const page = await openPage(browser, server.url + path, options);
      pages.push(page);
      return { page, session, api: server.api };
    },
  };
}

/** The text of an element once it is `expected`, or matches it. */
export async function untilText(locator, expected) {
  const matches = (text) => (expected instanceof RegExp ? expected.test(text) : text === expected);
  const deadline = Date.now() + 15_000;
  let text;
  do {
    text = await locator.textContent().catch(() => undefined);
    if (text !== undefined && text !== null && matches(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 25));
  } while (Date.now() < deadline);
  return assert.fail(`waited for ${expected}, and found: ${text}`);
}
