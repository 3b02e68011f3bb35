// Notices a connection that died without saying so: WebSocket pings are invisible to a page, so it asks by itself
// when it has heard nothing for a while. Times are milliseconds by `performance.now()`.

/** An attempt that has not led to `session_ready` by then has failed. */
const READY_DEADLINE_MS = 10_000;
/** Silence after which the server is asked for a sign of life, and how long it has to give one. */
const HEARTBEAT = { check: 1_000, quiet: 10_000, deadline: 5_000 };

export class Heartbeat {
  private timer: ReturnType<typeof setInterval> | undefined;
  private isReady = false;
  private heardAt = 0;
  /** When the server was asked for a sign of life that has not come yet. */
  private askedAt: number | undefined;

  /** `ask` asks for a sign of life; `onDead` is told that none will come. */
  constructor(private readonly ask: () => void, private readonly onDead: () => void) {}

  /** An attempt to connect begins. */
  start(): void {
    this.stop();
    this.heardAt = performance.now();
    this.askedAt = undefined;
    this.timer = setInterval(() => this.check(performance.now()), HEARTBEAT.check);
  }

  stop(): void {
    clearInterval(this.timer);
    this.isReady = false;
  }

  /** Something came, be it only that the session is `ready`. */
  heard(ready = false): void {
    this.isReady ||= ready;
    this.heardAt = performance.now();
    this.askedAt = undefined;
  }

  /** Makes sure now, unless it is being made sure already. */
  makeSure(): void {
    if (!this.isReady || this.askedAt !== undefined) return;
    this.askedAt = performance.now();
    this.ask();
  }

  private check(now: number): void {
    if (!this.isReady) {
      if (now - this.heardAt > READY_DEADLINE_MS) this.onDead();
    } else if (this.askedAt !== undefined) {
      if (now - this.askedAt > HEARTBEAT.deadline) this.onDead();
    } else if (now - this.heardAt > HEARTBEAT.quiet) {
      this.makeSure();
    }
  }
}
