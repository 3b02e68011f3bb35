// What a server sends of a session in which people talk at random: messages that wait behind an answer, edits,
// interruptions, tools, answers given anew, outages of the store, ends and what follows them. The same seed tells the same story.

/** A generator of numbers below `limit` that gives the same each time (mulberry32). */
export function random(seed) {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** The events of a session, each with the snapshot that a reader gets who attaches behind it. Every message is
 *  answered at the end, and every late summary has come. */
export function story(below) {
  const server = new Server(below);
  for (let step = 10 + below(60); step > 0; step -= 1) server.doSomething();
  server.bringToAnEnd();
  return server.events;
}

class Server {
  events = [];
  #below;
  #seq = 0;
  #messages = 0;
  #answers = 0;
  /** Ids of the messages that wait for their turn. */
  #queue = [];
  #lastMessage = null;
  /** The answer to each message that counts. */
  #counts = new Map();
  /** What is being written. */
  #answer = null;
  #isOpen = false;
  #lateSummaries = 0;
  /** What is stored when the store is back; `null` while it is there. */
  #spool = null;

  constructor(below) {
    this.#below = below;
  }

  doSomething() {
    const choice = this.#below(20);
    if (choice < 3) this.#say();
    else if (choice === 3) this.#regenerate();
    else if (choice === 4) this.#end();
    else if (choice === 5) this.#summarize();
    else if (choice === 6 && this.#below(3) === 0) this.#goOrComeBack();
    else if (this.#answer !== null) this.#write();
    else this.#takeUp();
  }

  bringToAnEnd() {
    while (this.#answer !== null || this.#queue.length > 0) {
      if (this.#answer === null) this.#takeUp();
      else this.#finish('stop');
    }
    while (this.#lateSummaries > 0) this.#summarize();
    if (this.#spool !== null) this.#goOrComeBack();
  }

  /** While the store is away answers go on, and what is to be stored waits. */
  #goOrComeBack() {
    const spool = this.#spool;
    this.#spool = spool === null ? [] : null;
    for (const event of spool ?? []) this.#store(event);
  }

  #live(event) {
    this.events.push({ event, snapshot: this.#answer === null ? null : this.#snapshot() });
  }

  #store(event) {
    if (this.#spool !== null) {
      this.#spool.push(event);
      if (event.type === 'user_message') this.#live({ type: 'accepted', id: event.id });
      return;
    }
    this.#seq += 1;
    this.#live({ seq: this.#seq, event_id: `e${this.#seq}`, at: '2026-11-21T09:30:00.120Z', ...event });
  }

  #snapshot() {
    const { id, messageId, index, parts } = this.#answer;
    return { type: 'response_snapshot', response_id: id, message_id: messageId, index, ...told(parts) };
  }

  #begin() {
    if (!this.#isOpen) this.#store({ type: 'session_started', user_id: null, metadata: {} });
    this.#isOpen = true;
  }

  #say() {
    this.#begin();
    const id = `m${(this.#messages += 1)}`;
    const replaces = this.#lastMessage !== null && this.#below(5) === 0 ? this.#lastMessage : null;
    const interrupts = this.#below(6) === 0;
    this.#store({ type: 'user_message', id, content: `text of ${id}`, metadata: {}, replaces });
    this.#lastMessage = id;
    const isCut = this.#answer !== null && (interrupts || this.#answer.messageId === replaces);
    if (isCut) this.#finish('cancelled');
    if (replaces !== null && this.#queue.includes(replaces)) {
      this.#queue = this.#queue.filter((waiting) => waiting !== replaces);
      this.#closeUnspoken(replaces);
    }
    if (interrupts) this.#queue.unshift(id);
    else this.#queue.push(id);
  }

  #regenerate() {
    const last = this.#lastMessage;
    if (this.#answer === null && this.#queue.length === 0 && last !== null && this.#isOpen) this.#start(last);
  }

  #takeUp() {
    const next = this.#queue.shift();
    if (next !== undefined) this.#start(next);
  }

  #start(messageId) {
    const id = `r${(this.#answers += 1)}`;
    this.#answer = { id, messageId, supersedes: this.#counts.get(messageId) ?? null, index: -1, parts: [], open: [], calls: 0 };
    this.#live({ type: 'response_started', response_id: id, message_id: messageId, model: 'm', provider: 'p', route: null });
  }

  #write() {
    const choice = this.#below(10);
    if (choice < 5) this.#speak();
    else if (choice < 7) this.#call();
    else if (choice < 9) this.#endCall();
    else this.#finish('stop');
  }

  #speak() {
    const answer = this.#answer;
    answer.index += 1;
    const content = `w${answer.index} `;
    if (answer.parts.at(-1)?.text === undefined) answer.parts.push({ text: '' });
    answer.parts.at(-1).text += content;
    this.#live({ type: 'token', response_id: answer.id, index: answer.index, content });
  }

  #call() {
    const answer = this.#answer;
    const call_id = `${answer.id}c${(answer.calls += 1)}`;
    const needs_approval = this.#below(3) === 0;
    answer.parts.push({ call_id });
    answer.open.push(call_id);
    this.#store({ type: 'tool_call', response_id: answer.id, call_id, name: 'add', arguments: {}, needs_approval });
    if (needs_approval) this.#store({ type: 'tool_approved', response_id: answer.id, call_id });
  }

  /** Calls run side by side, and end in any order. */
  #endCall() {
    const { id, open } = this.#answer;
    if (open.length === 0) return;
    const [call_id] = open.splice(this.#below(open.length), 1);
    this.#store({ type: 'tool_result', response_id: id, call_id, name: 'add', ok: true, content: call_id, duration_ms: 1 });
  }

  #finish(finish_reason) {
    while (this.#answer.open.length > 0) this.#endCall();
    const { id, messageId, supersedes, parts } = this.#answer;
    this.#answer = null;
    this.#live({ type: 'response_finished', response_id: id, finish_reason });
    this.#storeAnswer(id, messageId, { finish_reason, supersedes, ...told(parts) });
  }

  #closeUnspoken(messageId) {
    const id = `r${(this.#answers += 1)}`;
    this.#storeAnswer(id, messageId, { finish_reason: 'interrupted', supersedes: null, content: '' });
  }

  #storeAnswer(response_id, message_id, fields) {
    this.#counts.set(message_id, response_id);
    const measures = { model: 'm', provider: 'p', usage: {}, timing: {}, cost_usd: null };
    this.#store({ type: 'ai_response', response_id, message_id, ...measures, ...fields });
  }

  #end() {
    if (!this.#isOpen) return;
    if (this.#answer !== null) this.#finish('interrupted');
    for (const id of this.#queue.splice(0)) this.#closeUnspoken(id);
    const isLate = this.#below(2) === 0;
    if (isLate) this.#lateSummaries += 1;
    this.#store({ type: 'session_ended', reason: 'idle', summary: isLate ? null : `summary ${this.#seq}`, metrics: {} });
    this.#isOpen = false;
  }

  #summarize() {
    if (this.#lateSummaries === 0) return;
    this.#lateSummaries -= 1;
    this.#store({ type: 'session_summary', summary: `late summary ${this.#seq}`, covers: {} });
  }
}

/** The pieces of an answer as the server tells them: `parts` only where there are calls. */
function told(parts) {
  const content = parts.map(({ text = '' }) => text).join('');
  return { content, parts: parts.some(({ call_id }) => call_id) ? parts.map((part) => ({ ...part })) : [] };
}
