// User messages that the server has not acknowledged. They are kept in the tab's storage, so that
// a reload without a connection loses none of them either.

import type { MessageId, SessionId, UserInput } from './protocol';

/** A message that can be told apart from every other one of its session. */
export type OutgoingMessage = UserInput & { id: MessageId };

/** The unacknowledged messages of one session, in the order in which they were written. */
export class Outbox {
  private readonly key: string;
  private messages: OutgoingMessage[];

  constructor(session: SessionId, private readonly storage: Storage | undefined = tabStorage()) {
    this.key = `patter.outbox.${session}`;
    this.messages = this.load();
  }

  /** What waits, oldest first. */
  pending(): readonly OutgoingMessage[] {
    return this.messages;
  }

  /** Keeps a message until it is acknowledged. */
  add(message: OutgoingMessage): void {
    this.messages = [...this.messages.filter(({ id }) => id !== message.id), message];
    this.save();
  }

  /** Forgets a message that the server has taken, or has refused for good. */
  remove(id: MessageId): void {
    if (!this.messages.some((message) => message.id === id)) return;
    this.messages = this.messages.filter((message) => message.id !== id);
    this.save();
  }

  private load(): OutgoingMessage[] {
    try {
      return JSON.parse(this.storage?.getItem(this.key) ?? '[]') as OutgoingMessage[];
    } catch {
      return []; // Not ours, or cut short: nothing that could be sent.
    }
  }

  private save(): void {
    try {
      if (this.messages.length === 0) this.storage?.removeItem(this.key);
      else this.storage?.setItem(this.key, JSON.stringify(this.messages));
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
