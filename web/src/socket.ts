// The connection of one session: a WebSocket that comes back by itself and loses nothing.
//
// Promises: every durable event reaches `onEvent` exactly once and in order, whatever happens to
// the connection; every submitted message is sent until the server acknowledges or refuses it, always
// with the same id, so that it is answered once, and never if it is over the limits of the server; a connection that died without saying so is noticed
// within about 16 seconds; without a token that the server takes it does not knock, and goes on with the next.

import type { Credentials } from './access/credentials';
import { dated } from './limits';
import { Outbox, type OutgoingMessage } from './outbox';
import type { ClientMessage, ErrorEvent, Limits, LogEpoch, MessageId, ServerMessage } from './protocol';
import { backoff } from './socket/backoff';
import type { Connection, Reason } from './socket/connection';
import { frameOf, refusalOf } from './socket/fitting';
import { Heartbeat } from './socket/heartbeat';

export type { Connection } from './socket/connection';

export interface SocketHandlers {
  onEvent(event: ServerMessage): void;
  onConnection(connection: Connection): void;
  /** The server would not take a message, which was not sent. */
  onRefusal(error: ErrorEvent): void;
}

/** After these codes of the protocol trying again cannot help. */
const FINAL_CODES: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4403]);
const FORBIDDEN = 4403;
const UNAUTHORIZED = 4401;
const IDLE = 4408;

/** So often one is tried that there is not, which the server may only have been too busy to begin. */
const TRIES_OF_ABSENT = 3;

/** A connection that lasted this long starts the backing off anew. */
const STABLE_AFTER_MS = 5_000;
export class SessionSocket {
  private socket: WebSocket | undefined;
  private attempts = 0;
  private ready = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private retryAt = 0;
  private openedAt = 0;
  private readonly heartbeat = new Heartbeat(
    () => this.send({ type: 'ping' }),
    () => this.lost(1006),
  );
  /** What this client holds of the log: every durable event up to `seq` of the log `epoch`. */
  private epoch: LogEpoch | undefined;
  private seq = 0;
  /** The end of the replay: before it, what waits may turn out to have been taken already. */
  private replayEnd = 0;
  private flushed = false;
  /** What the server takes, once it has said so. */
  private limits: Limits | undefined;
  /** Whether it may connect by itself: not before what is stored has been read. */
  private begun = false;
  /** Whether it waits for another token. */
  private locked = false;

  constructor(
    private readonly url: URL,
    private readonly outbox: Outbox,
    private readonly handlers: SocketHandlers,
    private readonly credentials: Credentials,
  ) {}

  /** Connects, and stays connected until `close` or a final close code. */
  connect(): void {
    this.begun = true;
    this.drop();
    if (this.credentials.isLocked()) {
      this.lock();
      return;
    }
    // Adding the same listener again changes nothing.
    addEventListener('online', this.wake);
    addEventListener('pageshow', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    this.handlers.onConnection({ phase: 'connecting' });
    const url = new URL(this.url);
    if (this.epoch !== undefined && this.seq > 0) {
      url.searchParams.set('after', String(this.seq));
      url.searchParams.set('epoch', this.epoch);
    }
    const protocols = this.credentials.protocols();
    const token = this.credentials.token();
    const socket = protocols.length > 0 ? new WebSocket(url, protocols) : new WebSocket(url);
    let isRefused = true;
    this.socket = socket;
    this.openedAt = performance.now();
    socket.onopen = () => (isRefused = false);
    socket.onmessage = (frame) => this.receive(dated(JSON.parse(String(frame.data)) as ServerMessage, Date.now()));
    socket.onclose = ({ code }) => {
      if (code === UNAUTHORIZED) this.credentials.ranOut(token);
      this.lost(code);
      if (isRefused) void this.askWhy();
    };
    this.heartbeat.start();
  }

  /** Sends a message as soon as there is a connection, and again until it is acknowledged. */
  submit(message: OutgoingMessage): void {
    this.outbox.add(message);
    if (this.flushed) this.deliver(message);
    else if (this.socket === undefined && this.begun) this.retryNow();
  }

  /** Tells what the client holds of the log before it connects for the first time. */
  holds(epoch: LogEpoch, seq: number): void {
    this.epoch = epoch;
    this.seq = seq;
  }

  /** There is another token: an open connection goes on with it, and who waited for one connects. */
  renew(): void {
    const token = this.credentials.token();
    if (this.ready && token !== null) this.send({ type: 'auth_refresh', token });
    else if (this.locked || this.socket !== undefined || this.retryTimer !== undefined) this.retryNow();
  }

  /** Waits until there is something to say. */
  rest(): void {
    this.begun = true;
    if (this.outbox.pending().length > 0) this.connect();
    else this.handlers.onConnection({ phase: 'resting' });
  }

  /** Sends a command that means something only now. Answers whether it was sent. */
  send(command: ClientMessage): boolean {
    if (!this.ready || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(command));
    return true;
  }

  /** Ends the wait for the next attempt. */
  retryNow = (): void => {
    this.attempts = 0;
    this.connect();
  };

  /** Closes the connection for good. */
  close(code = 1000): void {
    removeEventListener('online', this.wake);
    removeEventListener('pageshow', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
    this.drop();
    this.handlers.onConnection({ phase: 'closed', code });
  }

  /** Lets go of the socket without waiting for it: on a dead network its closing takes minutes. */
  private drop(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.locked = false;
    this.heartbeat.stop();
    const socket = this.socket;
    this.socket = undefined;
    this.ready = false;
    this.flushed = false;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private lost(code: number): void {
    if (FINAL_CODES.has(code)) {
      this.close(code);
      return;
    }
    if (this.ready && performance.now() - this.openedAt > STABLE_AFTER_MS) this.attempts = 0;
    this.drop();
    if (code === IDLE && this.outbox.pending().length === 0) {
      this.handlers.onConnection({ phase: 'resting' });
      return;
    }
    if (code === UNAUTHORIZED && this.credentials.isLocked()) {
      this.lock();
      return;
    }
    const wait = backoff(this.attempts, code);
    this.attempts += 1;
    this.waitFor(wait);
  }

  private waitFor(wait: number, why?: Reason): void {
    clearTimeout(this.retryTimer);
    this.retryAt = Date.now() + wait;
    this.retryTimer = setTimeout(() => this.connect(), wait);
    this.handlers.onConnection({ phase: 'waiting', retryAt: this.retryAt, ...(why !== undefined && { why }) });
  }

  private lock(): void {
    this.drop();
    this.locked = true;
    this.handlers.onConnection({ phase: 'locked' });
  }

  /** The last attempt was refused: it may be of no use to go on as planned. */
  private async askWhy(): Promise<void> {
    const planned = this.retryTimer;
    const verdict = await this.credentials.why();
    if (planned === undefined || this.retryTimer !== planned) return; // It went on meanwhile.
    if (verdict.kind === 'locked') this.lock();
    else if (verdict.kind === 'forbidden') this.close(FORBIDDEN);
    // Each try is a guess to the server, which after some of them shuts out all who have this address.
    else if (verdict.kind === 'absent' && this.attempts >= TRIES_OF_ABSENT) this.close(FORBIDDEN);
    else if (verdict.kind === 'again' && verdict.why !== undefined) this.waitFor(Math.max(verdict.wait, this.retryAt - Date.now()), verdict.why);
  }

  private receive(event: ServerMessage): void {
    this.heartbeat.heard(event.type === 'session_ready');
    if (event.type === 'session_ready') {
      this.limits = event.limits;
      this.replayFrom(event.epoch, event.reset, event.last_seq);
      this.handlers.onEvent(event);
      this.ready = true;
      this.handlers.onConnection({ phase: 'open' });
    } else if ('seq' in event) {
      this.acknowledge(event.type === 'user_message' ? event.id : undefined);
      if (event.seq > this.seq) {
        this.seq = event.seq;
        this.handlers.onEvent(event);
      }
    } else {
      if (event.type === 'accepted') this.acknowledge(event.id);
      if (event.type === 'error') this.refuse(event);
      this.handlers.onEvent(event);
    }
    this.flushOutbox();
  }

  private replayFrom(epoch: LogEpoch, reset: boolean, lastSeq: number): void {
    if (reset || epoch !== this.epoch) this.seq = 0;
    this.epoch = epoch;
    this.replayEnd = lastSeq;
  }

  private acknowledge(id: MessageId | undefined): void {
    if (id !== undefined) this.outbox.remove(id);
  }

  private refuse(error: ErrorEvent): void {
    if (error.message_id !== undefined && error.response_id === undefined) this.outbox.refuse(error.message_id, error);
  }

  private flushOutbox(): void {
    if (this.flushed || !this.ready || this.seq < this.replayEnd) return;
    this.flushed = true;
    for (const message of this.outbox.pending()) this.deliver(message);
  }

  /** What was written before the limits were known may be over them: sent, it would end every connection. */
  private deliver(message: OutgoingMessage): void {
    const refusal = this.limits && refusalOf(message, this.limits);
    if (refusal === undefined) {
      this.send(frameOf(message));
      return;
    }
    this.outbox.refuse(message.id, refusal);
    this.handlers.onRefusal(refusal);
  }

  /** The network is back, or somebody looks at the page again: a good moment to make sure. */
  private wake = (): void => {
    if (document.hidden) return;
    if (this.retryTimer !== undefined) this.retryNow();
    else this.heartbeat.makeSure();
  };
}
