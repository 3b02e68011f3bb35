// What the page promises about its weight, its requests, and how small and how large it may be shown.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { violations } from './support/axe.mjs';
import { builtPage, say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

/** The files that a browser loads before the first word: what the page names, and what that imports. */
async function firstLoad(directory) {
  const html = await readFile(join(directory, 'index.html'), 'utf8');
  const files = new Set(['/index.html', ...[...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path)]);
  for (const path of files) {
    if (!path.endsWith('.js')) continue;
    const script = await readFile(join(directory, path), 'utf8');
    for (const [, name] of script.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) files.add(`/assets/${name}`);
  }
  return Promise.all([...files].map((path) => readFile(join(directory, path))));
}

test('the first load is under 60 kB, compressed', async () => {
  const built = await builtPage();
  try {
    const files = await firstLoad(built.directory);
    assert.ok(files.length >= 4, 'the page, a style sheet and two scripts');
    const sum = (compress) => files.reduce((bytes, file) => bytes + compress(file).length, 0);
    const [gzip, brotli] = [sum(gzipSync), sum(brotliCompressSync)];
    console.log(`first load: ${gzip} bytes with gzip, ${brotli} with brotli`);
    // Every browser of these years asks for brotli, and the server has it.
    assert.ok(brotli < 60_000, `${brotli} bytes with brotli`);
  } finally {
    await built.remove();
  }
});

test('nobody but the server is asked for anything, whatever a model writes', async () => {
  const { page, session } = await suite.open();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.reload();
  await say(page, '![mine](https://out.example/1.png)');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const hostile = [
    '![one](https://out.example/1.png)',
    '![two][ref]\n\n[ref]: https://out.example/2.png',
    '<img src="https://out.example/3.png" srcset="https://out.example/4.png 2x">',
    '<video src="https://out.example/5.mp4" poster="https://out.example/6.png" autoplay></video>',
    '<link rel="stylesheet" href="https://out.example/7.css"><link rel="preload" as="image" href="https://out.example/8.png">',
    '<div style="background: url(https://out.example/9.png)">a</div><style>@import "https://out.example/10.css";</style>',
    '<object data="https://out.example/11"></object><embed src="https://out.example/12"><input type="image" src="https://out.example/13">',
    '<svg><image href="https://out.example/14.png"/><use href="https://out.example/15.svg#a"/></svg>',
    '<a href="https://out.example/16" ping="https://out.example/17">a link</a>',
    '<picture><source srcset="https://out.example/18.png"></picture><audio src="https://out.example/19"></audio>',
    '<base href="https://out.example/"><meta http-equiv="refresh" content="0;url=https://out.example/20">',
    '```rust\nfn main() {}\n```',
  ];
  for (const text of hostile) answer.stream(`${text}\n\n`);
  answer.finish();
  await page.locator('code[data-coloured]').waitFor();
  const { origin } = new URL(page.url());
  assert.ok(asked.length > 2);
  assert.deepEqual(asked.filter((url) => new URL(url).origin !== origin && !url.startsWith('data:')), []);
});

const ANSWER = '## A heading\n\n`a_very_long_name_without_any_space_in_it_that_goes_on_and_on_and_on()`\n\n' +
  '| one | two | three | four | five | six |\n|---|---|---|---|---|---|\n| aaaaaaaaaa | bbbbbbbbbb | cccccccccc | dddddddddd | eeeeeeeee | fffffff |\n\n' +
  '```\na line of code that is much longer than the narrow screen on which it is to be shown here\n```\n';

// 200 % on a laptop, 400 % on a desktop (which is 320 px), and a phone.
for (const [name, viewport] of Object.entries({ '320 px': { width: 320, height: 600 }, '200 %': { width: 640, height: 400 } })) {
  test(`at ${name} everything is there and nothing scrolls sideways`, async () => {
    const { page, session } = await suite.open({ viewport, bypassCSP: true });
    await say(page, 'A long question, to see that it wraps: '.repeat(4));
    const answer = session.startAnswer((await session.next('user_message')).id);
    answer.succeed(answer.call('calculator', { expression: '1+2+3+4+5+6+7+8+9+10+11+12+13+14' }), { result: '3' });
    answer.stream(ANSWER);
    answer.finish();
    await page.locator('.measures').waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
    const log = await page.locator('.log').evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.ok(log <= 0, `the conversation is ${log} px too wide`);
    await page.getByRole('textbox').scrollIntoViewIfNeeded();
    const box = await page.getByRole('textbox').boundingBox();
    assert.ok(box.y + box.height <= viewport.height && box.x + box.width <= viewport.width, 'the message box is in view');
    assert.deepEqual(await violations(page), []);
  });
}

test('with forced colours what is told by colour is told by a border too', async () => {
  const { page, session } = await suite.open({ forcedColors: 'active', bypassCSP: true });
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.succeed(answer.call('calculator', { expression: '1+2' }), { result: '3' });
  answer.stream('Hi');
  answer.finish();
  await page.locator('.measures').waitFor();
  for (const selector of ['.dot', '.bubble', '.tool', 'button.primary']) {
    const width = await page.locator(selector).first().evaluate((element) => getComputedStyle(element).borderTopWidth);
    assert.notEqual(width, '0px', selector);
  }
  assert.deepEqual(await violations(page), []);
});

test('whoever wants no motion sees none', async () => {
  const { page, session } = await suite.open({ reducedMotion: 'reduce' });
  await say(page, 'Hello');
  session.startAnswer((await session.next('user_message')).id).token('Hi');
  await page.locator('.growing').waitFor();
  const moving = await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').length);
  assert.equal(moving, 0);
});
