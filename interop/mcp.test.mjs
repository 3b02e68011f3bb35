// Servers of the Model Context Protocol as plug-ins of the real binary (PATTER_BIN), called in a
// conversation: the official demonstration server, which is written in TypeScript, and one for times, in
// Python (PYTHON_PROGRAMS is where it is).

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { startPatter } from '../web/test/support/patter.mjs';
import { Client } from './client.mjs';
import { freePort } from './ports.mjs';

const EVERYTHING = join(import.meta.dirname, 'node_modules', '.bin', 'mcp-server-everything');
const TIME = join(process.env.PYTHON_PROGRAMS ?? '', 'mcp-server-time');

/** What the model calls when it is asked for this word, and with what. */
const CALLS = {
  echo: ['everything__echo', { message: 'hello over there' }],
  sum: ['everything__get-sum', { a: 2, b: 40 }],
  weather: ['everything__get-structured-content', { location: 'Chicago' }],
  image: ['everything__get-tiny-image', {}],
  mistake: ['everything__get-sum', { a: 'two', b: 40 }],
  patience: ['everything__trigger-long-running-operation', { duration: 1, steps: 5 }],
  trouble: ['everything__trigger-long-running-operation', { duration: 60, steps: 60 }],
  clock: ['time__convert_time', { source_timezone: 'Asia/Tokyo', time: '12:00', target_timezone: 'Etc/UTC' }],
  nowhere: ['time__get_current_time', { timezone: 'Mars/Olympus' }],
};

function script(mock) {
  for (const [word, [name, args]] of Object.entries(CALLS)) {
    mock.on({ userMessage: word, hasToolResult: false }, { toolCalls: [{ name, arguments: args }] });
    mock.on({ userMessage: word, hasToolResult: true }, { content: 'Done.' });
  }
}

const model = (mock) => ({
  PATTER_LLM__PROVIDER: 'openai',
  OPENAI_API_KEY: 'mock',
  OPENAI_BASE_URL: `${mock.url}/v1`,
});

/** The processes that this one has started, by their command lines. */
function childrenOf(pid) {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' });
  return lines.trim().split('\n').map((line) => {
    const [, id, command] = /^\s*(\d+)\s+(.*)$/.exec(line);
    return { id: Number(id), command };
  });
}

const resultOf = (events) => events.find((event) => event.type === 'tool_result');

describe('plug-ins that are processes', () => {
  let mock, server, client;

  before(async () => {
    mock = await LLMock.create({ port: 0 });
    script(mock);
    server = await startPatter({
      ...model(mock),
      PATTER_MCP__EVERYTHING__COMMAND: EVERYTHING,
      PATTER_MCP__TIME__COMMAND: TIME,
    });
  });
  after(async () => {
    const plugins = childrenOf(server.pid).map(({ id }) => id);
    await server.stop();
    for (const id of plugins) assert.throws(() => process.kill(id, 0), 'it ended with the server');
    await mock.stop();
  });
  afterEach(() => client?.close());

  const asked = async (word) => {
    client = await Client.connect(server.url);
    const events = await client.ask(`Please: ${word}`);
    assert.equal(events.at(-1).content, 'Done.');
    return events;
  };

  test('both offer their tools, with schemas', async () => {
    const { tools } = await (await fetch(`${server.url}/api/tools`)).json();
    const names = tools.map((tool) => tool.name);
    assert.ok(names.includes('time__get_current_time') && names.includes('everything__echo'), `${names}`);
    const sum = tools.find((tool) => tool.name === 'everything__get-sum');
    assert.deepEqual(sum.parameters.required, ['a', 'b']);
    assert.equal(sum.needs_approval, false);
    const gzip = tools.find((tool) => tool.name === 'everything__gzip-file-as-resource');
    assert.equal(gzip.needs_approval, true, 'it does not only read');
  });

  test('texts come back', async () => {
    assert.match(resultOf(await asked('echo')).content, /hello over there/);
    assert.match(resultOf(await asked('sum')).content, /42/);
    assert.match(JSON.stringify(mock.getLastRequest().body), /42/, 'the model has seen it');
  });

  test('structured content comes back as it is', async () => {
    const { content } = resultOf(await asked('weather'));
    assert.equal(typeof content.temperature, 'number');
  });

  test('a picture comes back whole, and the model is told of it', async () => {
    const { content } = resultOf(await asked('image'));
    const image = content.content.find((block) => block.type === 'image');
    assert.equal(image.mimeType, 'image/png');
    assert.equal(Buffer.from(image.data, 'base64').subarray(1, 4).toString(), 'PNG');
    assert.doesNotMatch(JSON.stringify(mock.getLastRequest().body), new RegExp(image.data.slice(0, 100)));
  });

  test('arguments that do not fit are named to the model, by their path', async () => {
    const result = resultOf(await asked('mistake'));
    assert.equal(result.ok, false);
    assert.equal(result.error.code, 'invalid_arguments');
    assert.match(result.error.message, /`\/a`/);
  });

  test('a slow call says how far it is', async () => {
    const events = await asked('patience');
    const progress = events.filter((event) => event.type === 'tool_progress');
    assert.ok(progress.length >= 3, JSON.stringify(progress));
    assert.equal(progress[0].total, 5);
    assert.equal(progress[0].call_id, resultOf(events).call_id);
  });

  test('the server in Python answers, and its errors are errors', async () => {
    assert.match(JSON.stringify(resultOf(await asked('clock')).content), /03:00/);
    const failed = resultOf(await asked('nowhere'));
    assert.equal(failed.ok, false);
    assert.match(failed.error.message, /Mars\/Olympus/);
  });

  test('one that is killed in a call fails that call alone, and is back for the next', async () => {
    client = await Client.connect(server.url);
    const plugin = () => childrenOf(server.pid).find(({ command }) => command.includes('everything'));
    const first = plugin();
    const answer = client.ask('Please: trouble');
    await client.until((event) => event.type === 'tool_progress');
    process.kill(first.id, 'SIGKILL');
    const events = await answer;
    const result = resultOf(events);
    assert.equal(result.ok, false);
    assert.match(result.error.message, /whether it had an effect is not known/);
    assert.equal(events.at(-1).content, 'Done.');

    const next = await client.ask('Please: echo');
    assert.match(resultOf(next).content, /hello over there/);
    assert.notEqual(plugin().id, first.id);
  });
});

describe('a plug-in that is asked over HTTP', () => {
  let mock, server, client, plugin;

  before(async () => {
    mock = await LLMock.create({ port: 0 });
    script(mock);
    const port = await freePort();
    plugin = spawn(EVERYTHING, ['streamableHttp'], {
      env: { PATH: process.env.PATH, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(plugin.stderr, 'data');
    server = await startPatter({
      ...model(mock),
      PATTER_MCP__EVERYTHING__URL: `http://127.0.0.1:${port}/mcp`,
      PATTER_MCP__EVERYTHING__TOOLS: 'echo,trigger-long-running-operation',
      PATTER_WEB__TRUSTED: `127.0.0.1:${port}`,
    });
  });
  after(async () => {
    client?.close();
    await server?.stop();
    plugin?.kill('SIGKILL');
    await mock?.stop();
  });

  test('its tools are called, those that are listed', async () => {
    const { tools } = await (await fetch(`${server.url}/api/tools`)).json();
    const names = tools.map((tool) => tool.name).filter((name) => name.startsWith('everything'));
    assert.deepEqual(names, ['everything__echo', 'everything__trigger-long-running-operation']);
    client = await Client.connect(server.url);
    assert.match(resultOf(await client.ask('Please: echo')).content, /hello over there/);
    const events = await client.ask('Please: patience');
    assert.ok(events.some((event) => event.type === 'tool_progress'));
    assert.equal(resultOf(events).ok, true);
  });
});
