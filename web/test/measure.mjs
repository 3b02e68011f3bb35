// Measures what the page costs a browser: `node test/measure.mjs [MINUTES]`. It prints figures and
// says nothing of what is right, since they depend on the machine; the bounds of web/README.md are
// for an idle one. Half a minute, and then as long as it streams (by default a minute).

import { setTimeout as wait } from 'node:timers/promises';
import { builtPage, openPage, say, startBrowser } from './support/browser.mjs';
import { startFakeServer } from './support/fake-server.mjs';

const SECTION =
  '## Section\n\nSome prose with **bold** words, `code` and a [link](https://example.org), over a line or two.\n\n' +
  '- one thing\n- another thing\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n' +
  '```rust\nfn main() {\n    println!("hello");\n}\n```\n\n';
/** The shapes that cannot be cut into blocks: each is one, however long. */
const SHAPES = {
  'prose, code and tables': () => SECTION,
  'one list': (place) => `${place % 7 === 0 ? '\n- ' : ' '}word ${place}`,
  'one table': (place) => (place === 0 ? '| a | b |\n|---|---|\n' : `| ${place} | **two** |\n`),
  'one block of code': (place) => (place === 0 ? '```rust\n' : `let word_${place} = ${place};\n`),
};
const TOKENS = 5_000;
const TOKENS_PER_ANSWER = 2_000;

const built = await builtPage();
const browser = await startBrowser();
const server = await startFakeServer(built.directory);
try {
  await measureOpening();
  for (const [name, piece] of Object.entries(SHAPES)) await measureLongTasks(name, tokensOf(piece));
  await measureMemory(Number(process.argv[2] ?? 1));
} finally {
  await browser.close();
  await server.close();
  await built.remove();
}

/** 5,000 tokens of about four characters. */
function tokensOf(piece) {
  let text = '';
  for (let place = 0; text.length < TOKENS * 4; place += 1) text += piece(place);
  return text.match(/[\s\S]{1,4}/g).slice(0, TOKENS);
}

async function measureOpening() {
  const session = server.session('opening');
  session.store('session_started', { user_id: null, metadata: {} });
  for (let place = 0; place < 5_000; place += 1) {
    session.store('user_message', { id: `m${place}`, content: `Question ${place}`, metadata: {}, replaces: null });
    session.startAnswer(`m${place}`).token(`Answer **${place}**.`);
    session.answer.finish();
  }
  const page = await openPage(browser, `${server.url}/`);
  await page.locator('textarea').waitFor();
  const began = performance.now();
  await page.evaluate(() => {
    history.pushState(null, '', '/?session=opening');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await page.getByText('Answer 4999.').waitFor();
  console.log(`a session of 10,000 messages: open after ${Math.round(performance.now() - began)} ms`);
  await page.context().close();
}

/** Streams by the clock: a timer that is late is made up for. */
async function streamAt(perSecond, tokens, answer) {
  const began = performance.now();
  for (let sent = 0; sent < tokens.length; ) {
    const due = Math.min(tokens.length, Math.floor(((performance.now() - began) / 1_000) * perSecond));
    for (; sent < due; sent += 1) answer.token(tokens[sent]);
    await wait(5);
  }
  answer.finish();
}

async function measureLongTasks(name, tokens) {
  const session = server.session(name.replaceAll(/\W+/g, '-'));
  const page = await openPage(browser, `${server.url}/?session=${session.id}`);
  await say(page, 'Much');
  const answer = session.startAnswer((await session.next('user_message')).id);
  await page.locator('.answer').waitFor();
  await page.evaluate(() => {
    globalThis.longTasks = [];
    globalThis.frames = [];
    new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: 'longtask', buffered: false });
    const frame = (at) => {
      globalThis.frames.push(at);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await streamAt(100, tokens, answer);
  await page.locator('.measures').waitFor();
  const { longTasks, frames } = await page.evaluate(() => ({ longTasks: globalThis.longTasks, frames: globalThis.frames }));
  const late = frames.filter((at, place) => place > 0 && at - frames[place - 1] > 34).length;
  console.log(
    `${name}: ${tokens.length} tokens at 100/s, ${longTasks.length} tasks over 50 ms, ` +
      `the longest ${Math.round(Math.max(0, ...longTasks))} ms, ${late} of ${frames.length} frames late`,
  );
  await page.context().close();
}

/** What the page holds after a collection, minute by minute, while it is streamed to, and how busy it was since the
 *  last one: flat from the third minute on, since what is far up is let go of. */
async function measureMemory(minutes) {
  const session = server.session('memory');
  const page = await openPage(browser, `${server.url}/?session=${session.id}`);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const tokens = tokensOf(SHAPES['prose, code and tables']).slice(0, TOKENS_PER_ANSWER);
  let told = 0;
  let [worked, looked] = [0, performance.now()];
  const began = performance.now();
  do {
    await say(page, 'Go on');
    await streamAt(100, tokens, session.startAnswer((await session.next('user_message')).id));
    const passed = Math.floor((performance.now() - began) / 60_000);
    if (passed > told) {
      told = passed;
      await devtools.send('HeapProfiler.collectGarbage');
      const { metrics } = await devtools.send('Performance.getMetrics');
      const of = (name) => metrics.find((metric) => metric.name === name).value;
      const share = (100_000 * (of('TaskDuration') - worked)) / (performance.now() - looked);
      [worked, looked] = [of('TaskDuration'), performance.now()];
      const heap = (of('JSHeapUsedSize') / 1e6).toFixed(1);
      console.log(`minute ${passed}: ${heap} MB, ${of('Nodes')} nodes, ${share.toFixed(0)} % of a core`);
    }
  } while (performance.now() - began < minutes * 60_000);
}
