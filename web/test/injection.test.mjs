// What a model, a tool or a user says never becomes more than text, however it is written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

const PAYLOADS = [
  '<img src=x onerror="alert(1)">',
  '<svg onload="alert(1)"><script>alert(1)</script></svg>',
  '<script>alert(1)</script>',
  '<iframe src="javascript:alert(1)" srcdoc="<script>parent.alert(1)</script>"></iframe>',
  '[link](javascript:alert(1))',
  '[entity](&#106;avascript:alert(1))',
  '[data](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '![image](https://example.org/" onerror="alert(1))',
  '```"><img src=x onerror=alert(1)>\ncode\n```',
  '```html\n</code></pre><img src=x onerror=alert(1)>\n```',
  '<form action="https://example.org"><button formaction="javascript:alert(1)">go</button></form>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '| <img src=x onerror=alert(1)> | b |\n|---|---|\n| <svg onload=alert(1)> | `<script>` |',
];

// The ribbon below an answer is the page's own.
const FORBIDDEN = '.log :is(img, svg:not(footer > .ribbon), script, iframe, form, style, math, object, embed, video, audio, link, meta, base)';

/** Elements and attributes in the conversation that could do something. */
function dangers(forbidden) {
  const attributes = [...document.querySelectorAll('.log *')].flatMap((element) =>
    [...element.attributes].filter(({ name, value }) => name.startsWith('on') || /^\s*(javascript|data):/i.test(value)),
  );
  return [
    ...[...document.querySelectorAll(forbidden)].map(({ outerHTML }) => outerHTML),
    ...attributes.map(({ name, value }) => `${name}=${value}`),
  ];
}

// Inputs 90, 91 and 92.
test('nothing that a model writes runs', async () => {
  const { page, session } = await suite.open();
  await say(page, PAYLOADS.join('\n'));
  const answer = session.startAnswer((await session.next('user_message')).id);
  for (const payload of PAYLOADS) answer.stream(`${payload}\n\n`, 5);
  answer.stream('The end.');
  await untilText(page.locator('.prose > p').last(), 'The end.');
  assert.deepEqual(await page.evaluate(dangers, FORBIDDEN), [], 'while it streams');
  answer.finish();
  await page.locator('.measures').waitFor();
  await page.locator('code[data-coloured]').first().waitFor();
  assert.deepEqual(await page.evaluate(dangers, FORBIDDEN), [], 'when it is complete');
  assert.match(await page.locator('.prose').innerText(), /<img src=x onerror="alert\(1\)">/);
});

// Input 90.
test('nothing that a tool gives runs', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Call it');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const html = PAYLOADS.join('');
  answer.succeed(answer.call(html.slice(0, 60), { html }), { html });
  answer.fail(answer.call('other', { html }), { code: 'failed', message: html });
  answer.finish();
  await page.locator('.measures').waitFor();
  await page.locator('.tool summary').first().click();
  await page.locator('.tool dl').nth(1).waitFor();
  assert.deepEqual(await page.evaluate(dangers, FORBIDDEN), []);
});

test('a link that is harmless works, and tells nobody where it was', async () => {
  const { page, session } = await suite.open();
  await say(page, 'A link');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('See [the page](https://example.org/a?b=c).');
  answer.finish();
  const link = page.getByRole('link', { name: 'the page' });
  assert.equal(await link.getAttribute('href'), 'https://example.org/a?b=c');
  assert.match((await link.getAttribute('rel')) ?? '', /noopener.*noreferrer/);
});
