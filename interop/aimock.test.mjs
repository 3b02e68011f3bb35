// A conversation with aimock in the place of each provider, over the real WebSocket of the real
// binary (PATTER_BIN).

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { startPatter } from '../web/test/support/patter.mjs';
import { Client, shownText } from './client.mjs';

const WORDS = 'Grüße aus Ålesund: a fjord 🌊 wants to be seen, and so it is said in many small pieces.';

/** The pauses let each piece arrive before the connection is reset, which takes along what has not. */
const BROKEN_OFF = { truncateAfterChunks: 8, latency: 100 };

/** How patter is told to speak each API, given the address of the mock. */
const APIS = {
  'Gemini generateContent': (url) => ({
    PATTER_LLM__PROVIDER: 'gemini',
    GEMINI_API_KEY: 'mock',
    GEMINI_BASE_URL: url,
  }),
  'OpenAI Responses': (url) => ({
    PATTER_LLM__PROVIDER: 'openai',
    OPENAI_API_KEY: 'mock',
    OPENAI_BASE_URL: `${url}/v1`,
    PATTER_OPENAI__API: 'responses',
  }),
  'OpenAI Chat Completions': (url) => ({
    PATTER_LLM__PROVIDER: 'openai',
    OPENAI_API_KEY: 'mock',
    OPENAI_BASE_URL: `${url}/v1`,
  }),
};

/** The path that each API is asked at. */
const PATHS = {
  'Gemini generateContent': /:streamGenerateContent/,
  'OpenAI Responses': /\/v1\/responses$/,
  'OpenAI Chat Completions': /\/v1\/chat\/completions$/,
};

for (const [api, settings] of Object.entries(APIS)) {
  describe(api, () => {
    let mock, server, client;

    before(async () => {
      mock = await LLMock.create({ port: 0, chunkSize: 7 });
      mock.on({ userMessage: 'fjord' }, { content: WORDS });
      mock.on(
        { userMessage: '15%', hasToolResult: false },
        { toolCalls: [{ name: 'calculator', arguments: { expression: '15% of 240' } }] },
      );
      mock.on({ userMessage: '15%', hasToolResult: true }, { content: 'It is 36.' });
      mock.on({ userMessage: 'break off' }, { content: WORDS }, BROKEN_OFF);
      server = await startPatter({ ...settings(mock.url), PATTER_LLM__RETRIES: '0' });
    });
    after(async () => {
      await server?.stop();
      await mock?.stop();
    });
    afterEach(() => client.close());

    const opened = async () => {
      client = await Client.connect(server.url);
      return client;
    };

    test('text comes in pieces and whole', async () => {
      const events = await (await opened()).ask('Tell me of the fjord.');
      assert.equal(shownText(events), WORDS);
      assert.ok(events.filter((event) => event.type === 'token').length > 5, 'more than five pieces');
      const answer = events.at(-1);
      assert.equal(answer.content, WORDS);
      assert.equal(answer.finish_reason, 'stop');
      assert.match(mock.getLastRequest().path, PATHS[api]);
    });

    test('a tool is called and its result sent back', async () => {
      const events = await (await opened()).ask('What is 15% of 240?');
      const result = events.find((event) => event.type === 'tool_result');
      assert.match(JSON.stringify(result.content), /36/);
      assert.equal(events.at(-1).content, 'It is 36.');
      assert.equal(events.at(-1).finish_reason, 'stop');
    });

    test('a second turn remembers the first', async () => {
      await (await opened()).ask('Tell me of the fjord.');
      await client.ask('And the fjord again?');
      assert.match(JSON.stringify(mock.getLastRequest().body), /Tell me of the fjord\./);
    });

    test('a refusal is an error with its reason, and the next message is answered', async () => {
      await opened();
      mock.nextRequestError(429, { message: 'slow down', type: 'rate_limit_error' });
      const events = await client.ask('Tell me of the fjord.');
      assert.equal(events.find((event) => event.type === 'error').code, 'provider_rate_limited');
      assert.equal(events.at(-1).finish_reason, 'error');
      assert.equal(shownText(await client.ask('Tell me of the fjord.')), WORDS);
    });

    test('an answer that breaks off is never passed off as whole', async () => {
      const events = await (await opened()).ask('Please break off.');
      assert.equal(events.at(-1).finish_reason, 'error');
      const kept = events.at(-1).content;
      assert.ok(kept.length > 0 && WORDS.startsWith(kept) && kept !== WORDS, kept);
    });
  });
}

describe('one provider behind another', () => {
  let mock, server, client;

  before(async () => {
    mock = await LLMock.create({ port: 0, chunkSize: 7 });
    mock.on({ userMessage: 'fjord', endpoint: 'chat', model: /gemini/ }, { content: WORDS }, BROKEN_OFF);
    mock.on({ userMessage: 'fjord' }, { content: 'From the other one.' });
    server = await startPatter({
      ...APIS['OpenAI Responses'](mock.url),
      ...APIS['Gemini generateContent'](mock.url),
      PATTER_LLM__FALLBACKS: 'openai',
    });
  });
  after(async () => {
    client?.close();
    await server?.stop();
    await mock?.stop();
  });

  test('an answer of Gemini that breaks off is begun afresh by OpenAI', async () => {
    client = await Client.connect(server.url);
    const events = await client.ask('Tell me of the fjord.');
    assert.ok(events.some((event) => event.type === 'notice' && event.code === 'provider_failover'));
    assert.ok(events.some((event) => event.type === 'response_snapshot' && event.content === ''));
    assert.equal(shownText(events), 'From the other one.');
    const answers = events.filter((event) => event.type === 'ai_response');
    assert.deepEqual(
      answers.map(({ provider, content, finish_reason }) => ({ provider, content, finish_reason })),
      [{ provider: 'openai', content: 'From the other one.', finish_reason: 'stop' }],
    );
  });
});
