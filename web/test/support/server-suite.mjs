// What a file needs that tests the page as the real server serves it: the server, a browser, and a
// fresh page for each test, which must end without a fault.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { openPage, startBrowser } from './browser.mjs';
import { startPatter } from './patter.mjs';

/** Registers the hooks. `settings` are the server's variables, or a function that answers with them
 *  once it has started what they tell of; by default it has the demo model. */
export function serverSuite(settings) {
  let browser, server;
  let pages = [];

  before(async () => {
    // One after the other: what has started is stopped where the next one does not start.
    server = await startPatter(typeof settings === 'function' ? await settings() : settings);
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  afterEach(async () => {
    const faults = pages.flatMap((page) => page.faults);
    await Promise.all(pages.map((page) => page.context().close()));
    pages = [];
    assert.deepEqual(faults, [], 'the page ran into errors or broke its Content-Security-Policy');
  });

  return {
    /** The server, once a test runs. */
    get server() {
      return server;
    },
    async open(path = '/') {
      const page = await openPage(browser, path.startsWith('/') ? server.url + path : path);
      pages.push(page);
      return page;
    },
  };
}
