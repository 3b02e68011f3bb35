// User messages that the server has not taken: those that wait to be acknowledged, and those that it refused,
// with why. They are kept in the tab's storage, so that a reload loses none of them.

import { keyOf } from './access/owner';
import type { ErrorEvent, MessageId, SessionId, UserInput } from './protocol';

/** A message that can be told apart from every other one of its session. */
export type OutgoingMessage = UserInput & { id: MessageId };

/** What was not taken, and why, if it was refused. */
type Kept = OutgoingMessage & { refusal?: ErrorEvent };

/** The messages of one session that were not taken, in the order in which they were written. */
export class Outbox {
  private messages: readonly Kept[];

  constructor(private readonly session: SessionId, private readonly storage: Storage | undefined = tabStorage()) {
    this.messages = this.load();
  }

  /** Everything that was not taken, oldest first. */
  all(): readonly Kept[] {
    return this.messages;
  }

  /** What waits to be sent or acknowledged, oldest first: nothing that was refused goes out by itself. */
  pending(): readonly OutgoingMessage[] {
    return this.messages.filter(({ refusal }) => refusal === undefined);
  }

  /** Keeps a message until it is acknowledged. */
  add(message: OutgoingMessage): void {
    this.keep([...this.messages.filter(({ id }) => id !== message.id), message]);
  }

  /** Keeps why a message was refused, if it waits here. */
  refuse(id: MessageId, refusal: ErrorEvent): void {
    this.keep(this.messages.map((message) => (message.id === id ? { ...message, refusal } : message)));
  }

  /** Forgets a message that the server has taken, or the user has discarded. */
  remove(id: MessageId): void {
    if (this.messages.some((message) => message.id === id)) {
      this.keep(this.messages.filter((message) => message.id !== id));
    }
  }

  /** Another one once somebody has signed in. */
  private get key(): string {
    return keyOf('outbox', this.session);
  }

  private load(): Kept[] {
    try {
      return JSON.parse(this.storage?.getItem(this.key) ?? '[]') as Kept[];
    } catch {
      return []; // Not ours, or cut short: nothing that could be sent.
    }
  }

  private keep(messages: readonly Kept[]): void {
    this.messages = messages;
    try {
      if (messages.length === 0) this.storage?.removeItem(this.key);
      else this.storage?.setItem(this.key, JSON.stringify(messages));
    } catch {
      // The storage is full or forbidden. The messages live on in memory.
    }
  }
}

function tabStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined; // Forbidden by the browser's settings.
  }
}
