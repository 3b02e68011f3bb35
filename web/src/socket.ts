// The connection of one session: a WebSocket that comes back by itself and loses nothing.
//
// Promises: every durable event reaches `onEvent` exactly once and in order, whatever happens to
// the connection; every submitted message is sent until the server acknowledges or refuses it, always
// with the same id, so that it is answered once; a connection that died without saying so is noticed
// within about 16 seconds.

import { Outbox, type OutgoingMessage } from './outbox';
import type { ClientMessage, ErrorEvent, LogEpoch, MessageId, ServerMessage } from './protocol';

/** Where the connection stands. */
export type Connection =
  | { phase: 'connecting' }
  | { phase: 'open' }
  /** Lost; the next attempt is at `retryAt` (milliseconds, as `Date.now()`). */
  | { phase: 'waiting'; retryAt: number }
  /** Closed by the server for want of something to do; the next message opens it again. */
  | { phase: 'resting' }
  /** Closed for good, with the code of the close frame. */
  | { phase: 'closed'; code: number };

export interface SocketHandlers {
  onEvent(event: ServerMessage): void;
  onConnection(connection: Connection): void;
}

/** After these codes of the protocol trying again cannot help. */
const FINAL_CODES: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4403]);
const RESTARTING = 1012;
const IDLE = 4408;

/** The shortest wait before a new attempt, and how the longest one grows (milliseconds). */
const BACKOFF = { floor: 250, first: 500, ceiling: 30_000 };
const RESTART_SPREAD_MS = 5_000;
/** A connection that lasted this long starts the backing off anew. */
const STABLE_AFTER_MS = 5_000;
/** An attempt that has not led to `session_ready` by then has failed. */
const READY_DEADLINE_MS = 10_000;
/** Silence after which the server is asked for a sign of life, and how long it has to give one. */
const HEARTBEAT = { check: 1_000, quiet: 10_000, deadline: 5_000 };

export class SessionSocket {
  private socket: WebSocket | undefined;
  private attempts = 0;
  private ready = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private heartbeatTimer: ReturnType<typeof setInterval> | undefined;
  private openedAt = 0;
  private heardAt = 0;
  /** When the server was asked for a sign of life that has not come yet. */
  private askedAt: number | undefined;
  /** What this client holds of the log: every durable event up to `seq` of the log `epoch`. */
  private epoch: LogEpoch | undefined;
  private seq = 0;
  /** The end of the replay: before it, what waits may turn out to have been taken already. */
  private replayEnd = 0;
  private flushed = false;
  /** Whether it may connect by itself: not before what is stored has been read. */
  private begun = false;

  constructor(
    private readonly url: URL,
    private readonly outbox: Outbox,
    private readonly handlers: SocketHandlers,
  ) {}

  /** Connects, and stays connected until `close` or a final close code. */
  connect(): void {
    this.begun = true;
    this.drop();
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
    const socket = new WebSocket(url);
    this.socket = socket;
    this.openedAt = performance.now();
    socket.onmessage = (frame) => this.receive(JSON.parse(String(frame.data)) as ServerMessage);
    socket.onclose = (frame) => this.lost(frame.code);
    this.heartbeatTimer = setInterval(this.checkLiveness, HEARTBEAT.check);
  }

  /** Sends a message as soon as there is a connection, and again until it is acknowledged. */
  submit(message: OutgoingMessage): void {
    this.outbox.add(message);
    if (this.flushed) this.send({ type: 'user_message', ...message });
    else if (this.socket === undefined && this.begun) this.retryNow();
  }

  /** Tells what the client holds of the log before it connects for the first time. */
  holds(epoch: LogEpoch, seq: number): void {
    this.epoch = epoch;
    this.seq = seq;
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
    clearInterval(this.heartbeatTimer);
    const socket = this.socket;
    this.socket = undefined;
    this.ready = false;
    this.flushed = false;
    this.askedAt = undefined;
    if (socket === undefined) return;
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
    const wait = this.backoff(code);
    this.attempts += 1;
    this.retryTimer = setTimeout(() => this.connect(), wait);
    this.handlers.onConnection({ phase: 'waiting', retryAt: Date.now() + wait });
  }

  /** Full jitter: a server that comes back is not met by all its clients at once. */
  private backoff(code: number): number {
    const grown = Math.min(BACKOFF.ceiling, BACKOFF.first * 2 ** this.attempts);
    const spread = code === RESTARTING && this.attempts === 0 ? RESTART_SPREAD_MS : grown;
    return BACKOFF.floor + Math.random() * (spread - BACKOFF.floor);
  }

  private receive(event: ServerMessage): void {
    this.heardAt = performance.now();
    this.askedAt = undefined;
    if (event.type === 'session_ready') {
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
    for (const message of this.outbox.pending()) this.send({ type: 'user_message', ...message });
  }

  /** WebSocket pings are invisible to a page, so it asks by itself. */
  private checkLiveness = (): void => {
    const now = performance.now();
    if (!this.ready) {
      if (now - this.openedAt > READY_DEADLINE_MS) this.lost(1006);
    } else if (this.askedAt !== undefined) {
      if (now - this.askedAt > HEARTBEAT.deadline) this.lost(1006);
    } else if (now - this.heardAt > HEARTBEAT.quiet) {
      this.askForLife(now);
    }
  };

  private askForLife(now: number): void {
    this.askedAt = now;
    this.send({ type: 'ping' });
  }

  /** The network is back, or somebody looks at the page again: a good moment to make sure. */
  private wake = (): void => {
    if (document.hidden) return;
    if (this.retryTimer !== undefined) this.retryNow();
    else if (this.ready && this.askedAt === undefined) this.askForLife(performance.now());
  };
}
