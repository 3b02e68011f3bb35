// The real server: the binary named by PATTER_BIN, its data in a directory of its own, on a free
// port.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** How long the server may take to start, in milliseconds. */
const START_DEADLINE = 30_000;

/** Starts the server with these variables, by default with the offline demo model. */
export async function startPatter(settings = { PATTER_LLM__PROVIDER: 'demo' }) {
  const directory = await mkdtemp(join(tmpdir(), 'patter-server-'));
  let running = await start(directory, settings);
  const { port } = new URL(running.url);
  return {
    url: running.url,
    get pid() {
      return running.pid;
    },
    /** Ends the process by this signal, and starts another one at the same place with the same data. */
    async restart(signal) {
      await running.end(signal);
      running = await start(directory, { ...settings, PORT: port });
    },
    async stop() {
      await running.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Starts a process with its data in `directory`. */
async function start(directory, settings) {
  const binary = process.env.PATTER_BIN;
  if (!binary) {
    throw new Error(
      'PATTER_BIN must name the server: `cargo build -p patter-server` builds target/debug/patter (`cargo xtask test web` does all this)',
    );
  }
  // Only what is given here: neither a key nor a database of the surroundings.
  const server = spawn(resolve(binary), [], {
    cwd: directory,
    // No load balancer has to notice first that it stops.
    env: { PATH: process.env.PATH, PORT: '0', PATTER_SERVER__DRAIN_DELAY: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise((resolve) => server.once('exit', resolve));
  const url = await addressOf(server).catch((error) => {
    server.kill('SIGKILL');
    throw error;
  });
  return {
    url,
    pid: server.pid,
    async end(signal) {
      server.kill(signal);
      await exited;
    },
  };
}

/** What the server says where it listens. */
function addressOf(server) {
  return new Promise((found, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`the server did not start:\n${output}`)), START_DEADLINE).unref();
    const read = (chunk) => {
      output += chunk;
      const address = /listening on (http:\/\/[\w.:[\]]+)/.exec(output)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      found(address);
    };
    server.stdout.setEncoding('utf8').on('data', read);
    server.stderr.setEncoding('utf8').on('data', read);
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
}
