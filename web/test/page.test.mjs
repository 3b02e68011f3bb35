// The page's main job: saying something, reading the answer as it comes, stopping, ending.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

test('an answer streams in with its tool call in its place', async () => {
  const { page, session } = await suite.open();
  await say(page, 'What is 15% of 240?');
  const { id } = await session.next('user_message');
  const answer = session.startAnswer(id);
  answer.stream('Let me **count**.');
  await untilText(page.locator('.answer .prose'), /Let me count\./);
  assert.equal(await page.locator('.answer').getAttribute('aria-busy'), 'true');

  const call = answer.call('calculator', { expression: '15% of 240' });
  await untilText(page.locator('.tool .state'), 'running');
  answer.succeed(call, { result: '36' });
  await untilText(page.locator('.tool .state'), 'done');
  assert.equal(await page.locator('.tool dl').isVisible(), false, 'the card is folded');
  answer.stream('It is 36.');
  answer.finish();

  await untilText(page.locator('.measures'), /1\.95 s · first word 212 ms · 9 tokens · \$0\.0001/);
  const kinds = await page.locator('.answer > *').evaluateAll((parts) => parts.map((p) => p.className));
  assert.deepEqual(kinds, ['prose', 'tool', 'prose', '']);
  await page.locator('.tool summary').click();
  assert.match(await page.locator('.tool dl').innerText(), /15% of 240[\s\S]*"result": "36"/);
  assert.equal(await page.locator('.prose strong').innerText(), 'count');
});

test('a failed tool call is open and says why', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Divide by zero');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const call = answer.call('calculator', { expression: '1/0' });
  answer.fail(call, { code: 'failed', message: 'division by zero' });
  answer.finish();
  await untilText(page.locator('.tool .state'), 'failed');
  assert.match(await page.locator('.tool dl').innerText(), /failed: division by zero/);
});

test('a big result is laid out once, when it is looked at, and cut where it is very long', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Fetch it');
  await page.evaluate(() => {
    const { stringify } = JSON;
    globalThis.laidOut = 0;
    JSON.stringify = (value, ...others) => {
      if (value?.rows) globalThis.laidOut += 1;
      return stringify(value, ...others);
    };
  });
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.succeed(answer.call('fetch', {}), { rows: Array.from({ length: 3_000 }, (_, row) => `row ${row}`) });
  await untilText(page.locator('.tool .state'), 'done');
  const goOn = async (words) => {
    answer.token(words);
    await untilText(page.locator('.prose'), new RegExp(words));
  };
  await goOn('One.');
  assert.equal(await page.evaluate(() => globalThis.laidOut), 0, 'nobody looks');
  await page.locator('.tool summary').click();
  const result = page.getByRole('region', { name: 'Result' });
  await untilText(result, /row 0"[^]*…$/);
  await goOn('Two.');
  await goOn('Three.');
  assert.equal(await page.evaluate(() => globalThis.laidOut), 1);
  await page.getByRole('button', { name: /^Show all [\d,]+ characters$/ }).click();
  await untilText(result, /row 2999"\s+\]\s+\}$/);
});

test('a tool call that waits for approval can be let run', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Order ten');
  const answer = session.startAnswer((await session.next('user_message')).id);
  const call = answer.call('order', { amount: 10 }, true);
  await page.getByRole('button', { name: 'Let it run' }).click();
  const decision = await session.next('tool_approval');
  assert.equal(decision.call_id, call.call_id);
  assert.equal(decision.approve, true);
  answer.succeed(call, { ordered: 10 });
  await page.getByRole('button', { name: 'Let it run' }).waitFor({ state: 'detached' });
});

test('Stop ends the answer and keeps its text', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Tell me a long story');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('Once upon a time');
  await untilText(page.locator('.answer .prose'), /Once upon a time/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await session.next('cancel');
  await untilText(page.locator('.answer .note'), 'Stopped.');
  assert.match(await page.locator('.answer .prose').innerText(), /Once upon a time/);
  assert.equal(await page.getByRole('button', { name: 'Stop' }).count(), 0);
});

test('an error stands in the answer it belongs to', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Hello');
  const { id } = await session.next('user_message');
  const answer = session.startAnswer(id);
  answer.stream('Half an ');
  const belongs = { message_id: id, response_id: answer.id };
  session.live({ type: 'error', code: 'provider_timeout', message: 'the model was too slow', retryable: true, ...belongs });
  answer.finish('error');
  await untilText(page.locator('.answer footer .note').last(), 'the model was too slow');
  assert.match(await page.locator('.answer .prose').innerText(), /Half an/);
});

test('a refused message stays on the page, over a reload too, and can be sent again', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.silent = true;
  await say(page, 'One too many');
  const { id } = await session.next('user_message');
  session.silent = false;
  session.live({ type: 'error', code: 'busy', message: 'eight messages wait already', retryable: true, message_id: id });
  await untilText(page.locator('.said .note'), /eight messages wait already/);
  await untilText(page.getByRole('status'), 'Not taken: eight messages wait already');
  await page.reload();
  await untilText(page.locator('.said .note'), 'Not taken: eight messages wait already');
  await page.getByRole('button', { name: 'Send again' }).click();
  assert.equal((await session.next('user_message')).id, id);
  await page.locator('.said[data-delivery=stored]').waitFor();
});

test('what was asked for and does not happen is shown and heard', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.live({ type: 'error', code: 'busy', message: 'slow down', retryable: true });
  await untilText(page.locator('.problem'), 'slow down');
  await untilText(page.getByRole('status'), 'slow down');
});

test('a text that is too long is not sent and not lost', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  await say(page, 'ä'.repeat(16_385));
  await untilText(page.locator('.hint'), 'Too long: 32,770 of 32,768 bytes.');
  await untilText(page.getByRole('status'), 'Too long: 32,770 of 32,768 bytes.');
  assert.equal((await page.getByRole('textbox').inputValue()).length, 16_385);
  assert.deepEqual(session.received, []);
});

test('ending the session shows the summary and offers a new conversation', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('Hi.');
  answer.finish();
  await page.getByRole('button', { name: 'End session' }).click();
  await untilText(page.locator('.closing .summary'), /They talked about sums\./);
  assert.match(await page.locator('.closing dl').innerText(), /1 min 01 s[\s\S]*120 \/ 9[\s\S]*212 ms/);
  await page.getByRole('button', { name: 'New conversation' }).click();
  await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
  assert.notEqual(new URL(page.url()).searchParams.get('session'), session.id);
  await page.goBack();
  await untilText(page.locator('.closing .summary'), /They talked about sums\./);
});

test('a conversation without a name gets one in its address', async () => {
  const { page } = await suite.open();
  await page.goto(new URL('/', page.url()).href);
  await untilText(page.locator('.connection'), 'Connected');
  assert.match(new URL(page.url()).searchParams.get('session') ?? '', /^[0-9a-f-]{36}$/);
});

test('what the server has to say is shown and can be put away', async () => {
  const { page, session } = await suite.open();
  await untilText(page.locator('.connection'), 'Connected');
  session.live({ type: 'notice', code: 'demo_model', message: 'Answers come from the offline demo.' });
  await untilText(page.locator('[data-notice=demo_model] p'), 'Answers come from the offline demo.');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  assert.equal(await page.locator('[data-notice]').count(), 0);
});

test('who scrolls up stays there until asking for the latest', async () => {
  const { page, session } = await suite.open();
  await say(page, 'Count');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream(Array.from({ length: 80 }, (_, n) => `Line ${n}\n\n`).join(''));
  await untilText(page.locator('.prose > p').last(), /Line 79/);
  const log = page.getByRole('log');
  const gap = () => log.evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
  await page.waitForFunction(() => {
    const e = document.querySelector('.log');
    return e.scrollHeight - e.clientHeight - e.scrollTop < 4;
  });

  await log.hover();
  await page.mouse.wheel(0, -600);
  await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
  await page.waitForFunction(() => {
    const e = document.querySelector('.log');
    return e.scrollHeight - e.clientHeight - e.scrollTop > 500;
  });
  const top = await log.evaluate((e) => e.scrollTop);
  answer.stream(Array.from({ length: 40 }, (_, n) => `More ${n}\n\n`).join(''));
  await untilText(page.locator('.prose > p').last(), /More 39/);
  assert.equal(await log.evaluate((e) => e.scrollTop), top);

  await page.getByRole('button', { name: 'Jump to latest' }).click();
  assert.ok((await gap()) < 4);
  await log.focus();
  await page.keyboard.press('PageUp');
  await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
  await page.keyboard.press('End');
  await page.getByRole('button', { name: 'Jump to latest' }).waitFor({ state: 'detached' });
  answer.finish();
});

test('who ends the session sees its summary, also from further up', async () => {
  const { page, session } = await suite.open();
  await say(page, 'A long story');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Once upon a time.\n\n'.repeat(60));
  answer.finish();
  await page.locator('.measures').waitFor();
  await page.locator('.prose > p').last().waitFor(); // It is short until the code that draws it is there.
  await page.getByRole('log').hover();
  await page.mouse.wheel(0, -600);
  await page.locator('.jump').waitFor();
  await page.getByRole('button', { name: 'End session' }).click();
  await page.locator('.closing').waitFor();
  await page.locator('.jump').waitFor({ state: 'hidden' });
});
