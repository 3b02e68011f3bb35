// nginx and HAProxy in front of a server, each with the file of `deploy/` that the documents recommend: only
// ports and files are others. Both write down which requests they passed on.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { freePort, listening } from './ports.mjs';

/** By this name the files know the server. */
export const NAME = 'chat.example.org';

const DEPLOY = join(import.meta.dirname, '..', 'deploy');

/** How each is started in front of a server, which is given as `host:port`. */
export const PROXIES = { nginx: startNginx, HAProxy: startHaproxy };

async function startNginx(server) {
  const place = await makePlace();
  await fill('nginx/patter.conf', join(place.folder, 'patter.conf'), {
    'listen 443 ssl': `listen 127.0.0.1:${place.port} ssl`,
    '127.0.0.1:8000': server,
    '/etc/patter/fullchain.pem': place.certificate,
    '/etc/patter/privkey.pem': place.key,
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    join(place.folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${place.folder}/pid; error_log stderr;
    events { worker_connections 512; }
    http {
      ${temporary.map((what) => `${what}_temp_path ${place.folder}/${what};`).join(' ')}
      log_format test '$remote_port $status $upstream_status $http_x_request_id $request';
      access_log ${place.log} test;
      include ${place.folder}/patter.conf;
    }`,
  );
  return run(place, 'nginx', ['-p', place.folder, '-e', 'stderr', '-c', join(place.folder, 'nginx.conf')]);
}

async function startHaproxy(server) {
  const place = await makePlace();
  await fill('haproxy/patter.cfg', join(place.folder, 'patter.cfg'), {
    'bind :443 ssl': `bind 127.0.0.1:${place.port} ssl`,
    '127.0.0.1:8000': server,
    '/etc/patter/chat.example.org.pem': place.both,
  });
  // Whatever may share a connection to the server does: only then can a request be slipped in before another's.
  await writeFile(
    join(place.folder, 'test.cfg'),
    `global
      log stdout format raw local0
    defaults
      log global
      http-reuse always
      unique-id-format %[req.hdr(x-request-id)]
      log-format "%cp %ST %s %ID %r"\n`,
  );
  return run(place, 'haproxy', ['-db', '-f', join(place.folder, 'test.cfg'), '-f', join(place.folder, 'patter.cfg')]);
}

/** A folder, a port, and a certificate for the name. */
async function makePlace() {
  const folder = await mkdtemp(join(tmpdir(), 'patter-proxy-'));
  const place = { folder, port: await freePort() };
  for (const name of ['certificate', 'key', 'both', 'log']) place[name] = join(folder, name);
  const wanted = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${NAME}`];
  const names = ['-addext', `subjectAltName=DNS:${NAME}`];
  const files = ['-keyout', place.key, '-out', place.certificate];
  execFileSync('openssl', ['req', '-x509', ...wanted, ...names, ...files], { stdio: 'pipe' });
  place.ca = await readFile(place.certificate);
  await writeFile(place.both, Buffer.concat([place.ca, await readFile(place.key)]));
  return place;
}

/** A file of `deploy/` with other values; each of them must be in it. */
async function fill(name, target, values) {
  let text = await readFile(join(DEPLOY, name), 'utf8');
  for (const [value, other] of Object.entries(values)) {
    if (!text.includes(value)) throw new Error(`${name} has no \`${value}\``);
    text = text.replaceAll(value, other);
  }
  await writeFile(target, text);
}

/** Starts the program, which listens at the place; what it writes to its standard output is its log, too. */
async function run(place, program, args) {
  // Debian keeps servers in a folder that is on the path of root alone.
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const end of ['stdout', 'stderr']) child[end].setEncoding('utf8').on('data', (text) => (output[end] += text));
  let trouble;
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve((trouble = `${program}: ${error.message}`)));
    child.once('exit', () => resolve((trouble = `${program} ended: ${output.stderr}${output.stdout}`)));
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(place.folder, { recursive: true, force: true });
  };
  await listening(place.port, () => trouble).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    url: `https://127.0.0.1:${place.port}`,
    ca: place.ca,
    stop,
    /** The requests that it has seen, as far as they are over. */
    async seen() {
      const lines = output.stdout + (await readFile(place.log, 'utf8').catch(() => ''));
      return [...lines.matchAll(/^(\d+) (\d+) (\S+) (\S+) (.*)$/gm)].map(([, port, status, server, id, request]) => ({
        port: Number(port),
        status: Number(status),
        isPassedOn: !['-', '<NOSRV>'].includes(server),
        id,
        request,
      }));
    },
    /** A connection to it, on which any bytes can be sent. */
    connect: (from = '127.0.0.1') => Raw.connect({ host: '127.0.0.1', port: place.port, servername: NAME, ca: place.ca, localAddress: from }),
  };
}

/** A connection on which any bytes are sent, and which keeps all that comes. */
class Raw {
  #socket;
  #changed = () => {};
  text = '';
  isOver = false;

  static async connect(options) {
    const raw = new Raw();
    raw.#socket = connect(options);
    await once(raw.#socket, 'secureConnect');
    raw.port = raw.#socket.localPort;
    raw.#socket.setEncoding('latin1');
    raw.#socket.on('data', (text) => {
      raw.text += text;
      raw.#changed();
    });
    // A reset ends it, too.
    raw.#socket.on('error', () => {});
    raw.#socket.on('close', () => {
      raw.isOver = true;
      raw.#changed();
    });
    return raw;
  }

  send(text) {
    this.#socket.write(text, 'latin1');
  }

  /** Waits until the other side has closed, or this holds of what has come. */
  async until(holds) {
    while (!this.isOver && !holds(this.text)) await new Promise((resolve) => (this.#changed = resolve));
  }

  close() {
    this.#socket.destroy();
  }
}
