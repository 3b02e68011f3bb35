// One open conversation: its connection, what is known of it, and what the user can do with it.
// The widgets read its signals and call its methods; they know nothing of the connection.

import { batch, computed, signal } from '@preact/signals';
import { oncePerFrame } from './frame';
import { mintId, socketUrl } from './address';
import { Outbox } from './outbox';
import type { CallId, MessageId, ServerMessage, SessionId } from './protocol';
import { type Connection, SessionSocket } from './socket';
import { apply, emptyState, isAnswering, isAwaiting, say, type State } from './state';

/** Is told of an event as it comes, before it is drawn. `arrivedAt`: milliseconds since 1970, by a clock
 *  that never goes back. */
export type Listener = (event: ServerMessage, arrivedAt: number) => void;

export class Session {
  readonly state = signal<State>(emptyState);
  readonly connection = signal<Connection>({ phase: 'connecting' });
  /** Whether a connection was had and lost: only that is worth a word, not the first attempt. */
  readonly interrupted = signal(false);
  /** The user asked for the end, which has not come yet. */
  readonly ending = signal(false);
  readonly answering = computed(() => isAnswering(this.state.value));
  readonly awaiting = computed(() => isAwaiting(this.state.value));
  /** It ended and stays so; the page can only start a new one. */
  readonly over = computed(() => this.state.value.ended && this.connection.value.phase === 'closed');

  private readonly socket: SessionSocket;
  private arrived: ServerMessage[] = [];
  private readonly listeners = new Set<Listener>();

  constructor(readonly id: SessionId) {
    const outbox = new Outbox(id);
    for (const message of outbox.pending()) this.showMessage(message.id, message.content);
    this.socket = new SessionSocket(socketUrl(id), outbox, {
      onEvent: (event) => {
        this.arrived.push(event);
        this.tell(event);
        this.draw();
        if (event.type === 'session_ended' && this.ending.value) this.socket.close();
      },
      onConnection: (connection) => this.connectionChanged(connection),
    });
    this.socket.connect();
  }

  /** Says something; it is sent as soon as there is a connection. */
  say(content: string): void {
    const id = mintId();
    this.showMessage(id, content);
    this.socket.submit({ id, content });
  }

  /** Sends a refused message again. */
  sayAgain(id: MessageId, content: string): void {
    this.showMessage(id, content);
    this.socket.submit({ id, content });
  }

  /** Says something in the place of the last message. */
  edit(replaces: MessageId, content: string): void {
    const id = mintId();
    this.showMessage(id, content);
    this.socket.submit({ id, content, replaces });
  }

  /** Asks for another answer to the last message. Answers whether that could be sent. */
  regenerate(): boolean {
    return this.socket.send({ type: 'regenerate' });
  }

  /** Stops the answer in flight; what was said so far stays. */
  stop(): void {
    this.socket.send({ type: 'cancel' });
  }

  /** Lets a tool call that waits for approval run, or refuses it. */
  decide(call_id: CallId, approve: boolean): void {
    this.socket.send({ type: 'tool_approval', call_id, approve });
  }

  /** Ends the session. The wish outlives a lost connection. */
  end(): void {
    this.ending.value = true;
    if (!this.socket.send({ type: 'end' })) this.socket.retryNow(); // It is sent when connected.
  }

  /** Tries to connect now instead of after the wait. */
  reconnect(): void {
    this.socket.retryNow();
  }

  /** Tells of every event from now on, replayed ones included. Answers with what ends that. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Lets go of the connection; the session itself goes on at the server. */
  leave(): void {
    this.socket.close();
  }

  private tell(event: ServerMessage): void {
    const arrivedAt = performance.timeOrigin + performance.now();
    for (const listener of this.listeners) {
      try {
        listener(event, arrivedAt);
      } catch (error) {
        reportError(error); // A fault of a listener is no reason to lose an event.
      }
    }
  }

  private showMessage(id: MessageId, content: string): void {
    this.state.value = say(this.state.value, id, content);
  }

  private connectionChanged(connection: Connection): void {
    batch(() => {
      this.connection.value = connection;
      if (connection.phase === 'waiting' || connection.phase === 'closed') this.interrupted.value = true;
      if (connection.phase === 'open') this.interrupted.value = false;
      if (connection.phase === 'closed') this.ending.value = false;
    });
    if (connection.phase === 'open' && this.ending.value) this.socket.send({ type: 'end' });
  }

  /** However fast events come, the page is drawn at most once per frame. */
  private draw = oncePerFrame(() => {
    const arrived = this.arrived;
    this.arrived = [];
    this.state.value = arrived.reduce(apply, this.state.value);
  });
}
