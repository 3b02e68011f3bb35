// Dictation and reading aloud, with the browser's speech services played by the test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from './support/browser.mjs';
import { pageSuite, untilText } from './support/page-suite.mjs';

const suite = pageSuite();

/** Replaces the speech services of the browser. */
function playSpeech() {
  globalThis.spoken = [];
  class Recognition {
    start() {
      globalThis.recognition = this;
    }
    stop() {
      this.onend();
    }
  }
  globalThis.SpeechRecognition = Recognition;
  globalThis.webkitSpeechRecognition = Recognition;
  globalThis.SpeechSynthesisUtterance = class {
    constructor(text) {
      this.text = text;
    }
  };
  const synthesis = { cancel: () => globalThis.spoken.push('cancel'), speak: (it) => globalThis.spoken.push(it) };
  Object.defineProperty(globalThis, 'speechSynthesis', { value: synthesis, configurable: true });
}

function removeSpeech() {
  delete globalThis.SpeechRecognition;
  delete globalThis.webkitSpeechRecognition;
  delete globalThis.speechSynthesis;
  delete Window.prototype.speechSynthesis;
}

async function open(script) {
  const { page, session } = await suite.open();
  await page.addInitScript(script);
  await page.reload();
  await untilText(page.locator('.connection'), 'Connected');
  return { page, session };
}

test('what is dictated is put into the draft, which is sent by hand', async () => {
  const { page, session } = await open(playSpeech);
  await page.getByRole('textbox').fill('Please');
  const button = page.getByRole('button', { name: 'Dictate' });
  assert.match(await button.getAttribute('title'), /speech service/);
  await button.click();
  await page.getByRole('button', { name: 'Stop dictating' }).waitFor();
  await page.evaluate(() => {
    const phrase = (transcript) => Object.assign([{ transcript }], { isFinal: true });
    globalThis.recognition.onresult({ resultIndex: 0, results: [phrase(' add one ')] });
    globalThis.recognition.onresult({ resultIndex: 1, results: [phrase(' add one '), phrase('and two')] });
  });
  assert.equal(await page.getByRole('textbox').inputValue(), 'Please add one and two');
  await page.getByRole('button', { name: 'Stop dictating' }).click();
  await page.getByRole('button', { name: 'Dictate' }).waitFor();
  assert.equal(session.received.some(({ type }) => type === 'user_message'), false);
});

test('that dictation failed is said', async () => {
  const { page } = await open(playSpeech);
  await page.getByRole('button', { name: 'Dictate' }).click();
  await page.evaluate(() => {
    globalThis.recognition.onerror({ error: 'not-allowed' });
    globalThis.recognition.onend();
  });
  await untilText(page.getByRole('status'), /not-allowed/);
  await page.getByRole('button', { name: 'Dictate' }).waitFor();
});

test('an answer is read aloud without its signs, and stopped', async () => {
  const { page, session } = await open(playSpeech);
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.stream('## Title\n\nSome **bold** `code` and [a link](https://example.org).\n\n- one');
  answer.finish();
  await page.locator('.answer').getByRole('button', { name: 'Read aloud' }).click();
  const texts = () => page.evaluate(() => globalThis.spoken.filter((it) => it !== 'cancel').map(({ text }) => text));
  assert.deepEqual(await texts(), ['Title\nSome bold code and a link.\none']);
  await page.locator('.answer').getByRole('button', { name: 'Stop reading' }).click();
  await page.locator('.answer').getByRole('button', { name: 'Read aloud' }).waitFor();
  assert.equal((await texts()).length, 1);
});

test('where the browser has no speech there are no buttons for it', async () => {
  const { page, session } = await open(removeSpeech);
  await say(page, 'Hello');
  const answer = session.startAnswer((await session.next('user_message')).id);
  answer.token('Hi');
  answer.finish();
  await page.locator('.answer').getByRole('button', { name: 'Quote' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Dictate' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Read aloud' }).count(), 0);
});
