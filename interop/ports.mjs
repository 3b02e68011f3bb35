// Ports of this machine.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A port that nobody has at the moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until somebody listens there; `trouble` tells what is wrong, as soon as something is. */
export async function listening(port, trouble, patience = 10_000) {
  const deadline = Date.now() + patience;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (trouble() || Date.now() > deadline) throw new Error(trouble() ?? `nobody listens at ${port}`, { cause: error });
    } finally {
      socket.destroy();
    }
    await pause(20);
  }
}
