// One open conversation: its connection, what is known of it, and what the user can do with it.
// The widgets read its signals and call its methods; they know nothing of the connection.

import { batch, computed, type Signal, signal } from '@preact/signals';
import { credentialsFor } from './access/credentials';
import { onNewToken } from './access/token';
import { oncePerFrame } from './frame';
import { mintId, socketUrl } from './address';
import { chosenMetadata } from './choose/routes';
import { readEarlier, readTail, type Tail } from './history';
import { Edits, keptDraft } from './kept';
import { type Listener, Listeners } from './listeners';
import { Outbox, type OutgoingMessage } from './outbox';
import type { CallId, DurableEvent, LogEpoch, MessageId, ServerMessage, SessionId } from './protocol';
import { type Connection, SessionSocket } from './socket';
import { type Bounds, isOver, letGo } from './state/letgo';
import { isSaid } from './state/said';
import { stopReading } from './voice/speaker';
import { apply, emptyState, isAnswering, isAwaiting, lastSaid, prepend, say, type Said, type State, unsay } from './state';

/** So much of a conversation stays when it is let go of its beginning, and so much is shown before that. */
const KEPT: Bounds = { entries: 200, characters: 50_000 };
const MOST: Bounds = { entries: 300, characters: 75_000 };

/** How the part of the log in front of what is shown stands. */
export type Earlier = 'none' | 'more' | 'loading' | 'failed';

export class Session {
  readonly state = signal<State>(emptyState);
  readonly connection = signal<Connection>({ phase: 'connecting' });
  /** Whether a connection was had and lost: only that is worth a word, not the first attempt. */
  readonly interrupted = signal(false);
  /** The user asked for the end, which has not come yet. */
  readonly ending = signal(false);
  /** What the user is writing. */
  readonly draft: Signal<string>;
  /** The messages that the user is writing anew. */
  readonly edits: Edits;
  readonly earlier = signal<Earlier>('none');
  /** How often something was said here. */
  readonly spoken = signal(0);
  /** The last message that counts: only it can be replaced, and only it answered again. */
  readonly lastSaidId = computed(() => lastSaid(this.state.value)?.id ?? null);
  /** How many bytes a message may have, where the server has said so. */
  readonly contentLimit = computed(() => this.state.value.session?.limits.max_content_bytes);
  readonly answering = computed(() => isAnswering(this.state.value));
  readonly awaiting = computed(() => isAwaiting(this.state.value));
  /** It ended here, and it is for the user to say whether it goes on. */
  readonly over = computed(() => this.state.value.ended && this.connection.value.phase === 'closed');

  /** Settled once what is stored is shown. */
  readonly opened: Promise<void>;

  private readonly outbox: Outbox;
  private readonly socket: SessionSocket;
  private readonly endDraft: () => void;
  private readonly endRenewing: () => void;
  private arrived: ServerMessage[] = [];
  /** `seq` of the first event that is shown. */
  private first = 1;
  /** `seq` of the last event that came. */
  private last = 0;
  /** `seq` of the last event of the replay, until all of it has come. */
  private replayEnd: number | null = null;
  /** Somebody wanted to see what is further up, and has said nothing since. */
  private lookedBack = false;
  private isAtEnd = () => true;
  /** The log that is shown. */
  private epoch: LogEpoch | null = null;
  /** Parts of the log are read one after the other. */
  private reading: Promise<void> = Promise.resolve();
  /** The last that was heard of the session is that it ended. */
  private sawEnd = false;
  private left = false;
  private readonly listeners = new Listeners();

  constructor(readonly id: SessionId) {
    this.outbox = new Outbox(id);
    for (const { refusal, ...message } of this.outbox.all()) {
      this.showMessage(message);
      if (refusal !== undefined) this.state.value = apply(this.state.value, { type: 'error', ...refusal });
    }
    this.socket = new SessionSocket(socketUrl(id), this.outbox, {
      onEvent: (event) => {
        this.arrived.push(event);
        this.note(event);
        this.listeners.tell(event);
        this.draw();
        if (event.type === 'session_ended' && this.ending.value) this.socket.close();
      },
      onConnection: (connection) => this.connectionChanged(connection),
      onRefusal: (error) => {
        this.arrived.push({ type: 'error', ...error });
        this.draw();
      },
    }, credentialsFor(id));
    this.endRenewing = onNewToken(() => this.socket.renew());
    const draft = keptDraft(id);
    this.draft = draft.value;
    this.endDraft = draft.dispose;
    this.edits = new Edits(id);
    this.opened = this.open();
  }

  /** Says something; it is sent as soon as there is a connection. */
  say(content: string): void {
    this.submit({ id: mintId(), content, ...chosenMetadata() });
  }

  /** Sends a refused message again, perhaps with another content. */
  sayAgain({ id, content: refused, replaces, error }: Said, content = refused): void {
    // What it was to replace may not be the last message any more: then it stands for itself.
    const isTooLate = error?.code === 'invalid_field' && error.details?.field !== 'content';
    const keeps = replaces !== null && replaces === this.lastSaidId.peek() && !isTooLate;
    // What the server knows under an id, if it took it after all, is what it was first.
    const isSame = content === refused;
    if (!isSame) this.discard(id);
    this.submit({ id: isSame ? id : mintId(), content, ...(keeps && { replaces }), ...chosenMetadata() });
  }

  /** Forgets a refused message. */
  discard(id: MessageId): void {
    this.outbox.remove(id);
    this.state.value = unsay(this.state.value, id);
    this.edits.end(id);
  }

  /** Says something in the place of the last message. Answers whether that one is the last still. */
  edit(replaces: MessageId, content: string): boolean {
    if (this.lastSaidId.peek() !== replaces) return false;
    this.submit({ id: mintId(), content, replaces, ...chosenMetadata() });
    return true;
  }

  /** Asks for another answer to the last message. Answers whether that could be sent. */
  regenerate(): boolean {
    return this.socket.send({ type: 'regenerate' });
  }

  /** Stops the answer in flight; what was said so far stays. */
  stop(): boolean {
    return this.socket.send({ type: 'cancel' });
  }

  /** Lets a tool call that waits for approval run, or refuses it. */
  decide(call_id: CallId, approve: boolean): boolean {
    return this.socket.send({ type: 'tool_approval', call_id, approve });
  }

  /** Ends the session. The wish outlives a lost connection. */
  end(): void {
    this.ending.value = true;
    void this.opened.then(() => {
      if (!this.socket.send({ type: 'end' })) this.socket.retryNow(); // It is sent when connected.
    });
  }

  /** Lets an ended session be written to again: the next message begins it anew. */
  goOn(): void {
    this.socket.rest();
  }

  /** Shows one more part of what is stored, in front of what is shown. */
  showEarlier(): Promise<void> {
    return this.read(() => this.first - 1);
  }

  /** Shows all that is stored from event `seq` on. */
  showFrom(seq: number): Promise<void> {
    return this.read(() => seq);
  }

  /** Lets the widget that shows the session tell whether nobody looks at what is further up: then it is let go of
   *  what is far up. Answers with what ends that. */
  followReader(isAtEnd: () => boolean): () => void {
    this.isAtEnd = isAtEnd;
    return () => (this.isAtEnd = () => true);
  }

  private read(wanted: () => number): Promise<void> {
    this.lookedBack = true;
    this.reading = this.reading.then(() => this.readUntil(wanted()));
    return this.reading;
  }

  private async readUntil(wanted: number): Promise<void> {
    if (this.earlier.value === 'none' || wanted >= this.first) return;
    this.earlier.value = 'loading';
    const epoch = this.epoch;
    const part = await readEarlier(this.id, this.first, wanted).catch(() => null);
    if (this.left) return;
    batch(() => {
      if (this.epoch !== epoch) {
        // Another log is shown by now, from its beginning.
        if (this.earlier.value === 'loading') this.earlier.value = 'none';
      } else if (part === null || part.epoch !== epoch || part.events.at(-1)?.seq !== this.first - 1) {
        this.earlier.value = 'failed'; // What was read does not belong in front of what is shown.
      } else {
        this.markTaken(part.events);
        this.state.value = prepend(this.state.value, part.events);
        this.first = part.events[0]?.seq ?? this.first;
        this.earlier.value = part.isCut ? 'more' : 'none';
      }
    });
  }

  /** Tries to connect now instead of after the wait. */
  reconnect(): void {
    this.socket.retryNow();
  }

  /** Tells of every event from now on, replayed ones included, and those that are read from the log with
   *  the moment at which they happened. Answers with what ends that. */
  listen(listener: Listener): () => void {
    return this.listeners.add(listener);
  }

  /** Lets go of the connection; the session itself goes on at the server. */
  leave(): void {
    this.left = true;
    this.endDraft();
    this.endRenewing();
    this.edits.dispose();
    stopReading();
    this.socket.close();
  }

  /** Takes in at once what must not wait for the next frame. */
  private note(event: ServerMessage): void {
    if (event.type === 'session_ended') this.sawEnd = true;
    if (event.type === 'session_started' || event.type === 'user_message') this.sawEnd = false;
    if ('seq' in event) this.last = event.seq;
    if (event.type !== 'session_ready') return;
    this.epoch = event.epoch;
    this.replayEnd = event.last_seq;
    if (!event.reset) return;
    this.first = 1;
    this.last = 0;
  }

  /** Shows what is stored, and connects unless the session is over: a connection would begin it anew. */
  private async open(): Promise<void> {
    const tail = await readTail(this.id);
    if (this.left) return;
    if (tail !== null) this.showTail(tail);
    if (tail === null || tail.isActive) this.socket.connect();
    else this.socket.rest();
    if (tail !== null && !tail.isActive) this.rescueEdits();
  }

  private showTail(tail: Tail): void {
    for (const event of tail.events) this.listeners.tell(event, Date.parse(event.at));
    this.markTaken(tail.events);
    this.state.value = tail.events.reduce<State>(apply, this.state.value);
    this.first = tail.events[0]?.seq ?? 1;
    this.last = tail.lastSeq;
    this.epoch = tail.epoch;
    this.earlier.value = tail.isCut ? 'more' : 'none';
    this.socket.holds(tail.epoch, tail.lastSeq);
  }

  /** What the log has was taken, and waits no more. */
  private markTaken(events: readonly DurableEvent[]): void {
    for (const event of events) if (event.type === 'user_message') this.outbox.remove(event.id);
  }

  /** What was to become of a message that is not there any more goes on as a draft. */
  private rescueEdits(): void {
    const { entries } = this.state.peek();
    for (const [id, text] of this.edits.all()) {
      if (entries.some((entry) => isSaid(entry, id))) continue;
      this.edits.end(id);
      this.draft.value = [this.draft.peek(), text].filter((part) => part.trim() !== '').join('\n\n');
    }
  }

  /** A conversation that goes on for hours must not grow without end. */
  private letGo(): void {
    const state = this.state.peek();
    if (!isOver(state, MOST) || !this.mayLetGo()) return;
    const less = letGo(state, KEPT, ({ id }) => this.edits.all().has(id));
    if (less === null) return;
    this.state.value = less.state;
    this.first = less.first;
    this.earlier.value = 'more';
  }

  private mayLetGo(): boolean {
    // Without its store the server may not be able to give it back.
    const isStoreAway = this.state.peek().notices.some(({ code }) => code === 'store_degraded');
    return !this.lookedBack && this.earlier.peek() !== 'loading' && !isStoreAway && this.isAtEnd();
  }

  private submit(message: OutgoingMessage): void {
    this.spoken.value += 1;
    this.lookedBack = false;
    this.showMessage(message);
    this.socket.submit(message);
  }

  private showMessage({ id, content, replaces }: OutgoingMessage): void {
    this.state.value = say(this.state.value, id, content, replaces ?? null);
  }

  private connectionChanged(connection: Connection): void {
    batch(() => {
      this.connection.value = connection;
      const isLost = connection.phase === 'waiting' || connection.phase === 'locked' || (connection.phase === 'closed' && !this.sawEnd);
      if (isLost) this.interrupted.value = true;
      if (connection.phase === 'open' || connection.phase === 'resting') this.interrupted.value = false;
      if (connection.phase === 'closed') this.ending.value = false;
    });
    if (connection.phase === 'open' && this.ending.value) this.socket.send({ type: 'end' });
  }

  /** However fast events come, the page is drawn at most once per frame. */
  private draw = oncePerFrame(() => {
    const arrived = this.arrived;
    this.arrived = [];
    // The log is another one, and all of it comes.
    const isReset = arrived.some((event) => event.type === 'session_ready' && event.reset);
    batch(() => {
      if (isReset) this.earlier.value = 'none';
      this.state.value = arrived.reduce(apply, this.state.value);
      if (this.replayEnd !== null && this.last >= this.replayEnd) {
        this.replayEnd = null;
        this.rescueEdits();
      }
      this.letGo();
    });
  });
}
