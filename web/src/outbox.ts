// User messages that the server has not taken: those that wait to be acknowledged, and those that it refused,
// with why. They are kept in the tab's storage, so that a reload loses none of them.

import { keyOf } from './access/owner';
import type { ErrorEvent, MessageId, SessionId, UserInput } from './protocol';
import { tabStorage } from './storage';

/** A message that can be told apart from every other one of its session. */
export type OutgoingMessage = UserInput & { id: MessageId };

/** What was not taken, and why, if it was refused. */
type Unsent = OutgoingMessage & { refusal?: ErrorEvent };

/** The messages of one session that were not taken, in the order in which they were written. */
export class Outbox {
  private messages: readonly Unsent[];

  constructor(private readonly session: SessionId) {
    this.messages = read(tabStorage.get(this.key));
  }

  /** Everything that was not taken, oldest first. */
  all(): readonly Unsent[] {
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

  private keep(messages: readonly Unsent[]): void {
    this.messages = messages;
    tabStorage.set(this.key, messages.length === 0 ? null : JSON.stringify(messages));
  }
}

function read(text: string | null): readonly Unsent[] {
  try {
    const messages = JSON.parse(text ?? '[]') as unknown;
    return Array.isArray(messages) ? messages.filter(isUnsent) : [];
  } catch {
    return []; // Not ours, or cut short: nothing that could be sent.
  }
}

function isUnsent(message: unknown): message is Unsent {
  const { id, content } = (message ?? {}) as Partial<Unsent>;
  return typeof id === 'string' && typeof content === 'string';
}
