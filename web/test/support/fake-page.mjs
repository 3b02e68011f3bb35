// What modules of the page need of a browser to run in Node: listeners, a document, storage, and a WebSocket that
// the test plays.

export const listeners = new EventTarget();
globalThis.addEventListener = listeners.addEventListener.bind(listeners);
globalThis.removeEventListener = listeners.removeEventListener.bind(listeners);
globalThis.document = Object.assign(new EventTarget(), { hidden: false });

/** A WebSocket that the test plays. */
export class FakeSocket {
  static OPEN = 1;
  static made = [];
  readyState = 1;
  sent = [];
  constructor(...given) {
    this.url = new URL(given[0]);
    /** As it was called: without a token there is no second argument. */
    this.protocols = given[1];
    this.arguments = given.length;
    FakeSocket.made.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  hear(event) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}
globalThis.WebSocket = FakeSocket;

/** The storage of a tab. */
export class FakeStorage {
  items = new Map();
  isFull = false;
  get length() {
    return this.items.size;
  }
  key(place) {
    return [...this.items.keys()][place] ?? null;
  }
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, value) {
    if (this.isFull) throw new Error('QuotaExceededError');
    this.items.set(key, value);
  }
  removeItem(key) {
    this.items.delete(key);
  }
}
