// The page for a server that was built without Node: the same protocol with nothing but the
// browser. It connects, sends, streams, shows tool calls, stops, comes back with `after`, ends, and
// shows the summary. Everything that others wrote is put in as text, never as HTML.

const log = document.getElementById('log');
const input = document.getElementById('message');
const connectionText = document.getElementById('connection');
const stopButton = document.getElementById('stop');
const endButton = document.getElementById('end');
const form = document.getElementById('form');

/** After these close codes trying again cannot help. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4403]);
/** How long nothing may be heard before the server is asked for a sign of life, and how long it has
 *  to give one, in milliseconds. */
const QUIET = 10_000;
const DEADLINE = 5_000;

const session = sessionFromAddress();
/** Messages that the server has not acknowledged, by id. */
const outbox = new Map();
/** Messages that it has and that have no answer yet, by id. */
const unanswered = new Set();
/** What is shown of each message, answer and tool call, by id. */
const saidElements = new Map();
const answers = new Map();
const calls = new Map();

let socket;
let epoch;
let seq = 0;
let replayEnd = Infinity;
let attempts = 0;
let heardAt = 0;
let askedAt = 0;
let retryTimer;
let lastNotice;

// --- The session in the address

function sessionFromAddress() {
  const asked = new URLSearchParams(location.search).get('session');
  if (asked !== null && /^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$/.test(asked)) return asked;
  const minted = mintId();
  history.replaceState(null, '', `?session=${minted}`);
  return minted;
}

function mintId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// --- The connection

function connect() {
  clearTimeout(retryTimer);
  detach();
  const url = new URL(`/ws/session/${encodeURIComponent(session)}`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (seq > 0) {
    url.searchParams.set('after', seq);
    url.searchParams.set('epoch', epoch);
  }
  heardAt = performance.now();
  askedAt = 0;
  replayEnd = Infinity;
  socket = new WebSocket(url);
  socket.onmessage = (frame) => receive(JSON.parse(frame.data));
  socket.onclose = (frame) => lost(frame.code);
}

/** Lets go of the socket without waiting for its closing. */
function detach() {
  if (socket === undefined) return;
  socket.onmessage = null;
  socket.onclose = null;
  socket.close();
  socket = undefined;
}

function lost(code) {
  detach();
  if (FINAL_CODES.has(code)) {
    connectionText.textContent = code === 1000 ? 'Ended' : `Closed by the server (code ${code})`;
    form.hidden = true;
    endButton.hidden = true;
    return;
  }
  const longest = code === 1012 ? 5_000 : Math.min(30_000, 500 * 2 ** attempts);
  attempts += 1;
  connectionText.textContent = 'Connection lost, reconnecting. Nothing is lost.';
  retryTimer = setTimeout(connect, 250 + Math.random() * longest);
}

function send(command) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

function sendOutbox() {
  for (const [id, content] of outbox) send({ type: 'user_message', id, content });
}

/** A connection can die without a word; WebSocket pings are invisible to a page. */
function checkLiveness() {
  const now = performance.now();
  if (socket === undefined) return;
  if (askedAt > 0 && now - askedAt > DEADLINE) lost(1006);
  else if (askedAt === 0 && now - heardAt > QUIET) {
    askedAt = now;
    send({ type: 'ping' });
  }
}

// --- What the server says

function receive(event) {
  heardAt = performance.now();
  askedAt = 0;
  const replaying = seq < replayEnd;
  if (event.type === 'session_ready') ready(event);
  if (event.type === 'user_message') outbox.delete(event.id);
  if (event.seq === undefined || event.seq > seq) {
    seq = event.seq ?? seq;
    const following = log.scrollHeight - log.clientHeight - log.scrollTop < 8;
    draw(event);
    if (following) log.scrollTop = log.scrollHeight;
  }
  if (replaying && seq >= replayEnd) sendOutbox();
}

function ready(event) {
  if (event.reset || event.epoch !== epoch) {
    seq = 0;
    if (epoch !== undefined) forgetLog();
  }
  epoch = event.epoch;
  replayEnd = event.last_seq;
  attempts = 0;
  connectionText.textContent = `Connected, ${event.model}`;
}

function forgetLog() {
  log.replaceChildren();
  lastNotice = undefined;
  for (const known of [saidElements, answers, calls, unanswered]) known.clear();
  for (const [id, content] of outbox) showSaid(id, content);
}

function draw(event) {
  switch (event.type) {
    case 'user_message':
      unanswered.add(event.id);
      showStop();
      return showSaid(event.id, event.content);
    case 'response_started':
      answerOf(event.response_id).message = event.message_id;
      return undefined;
    case 'token':
      return addToken(answerOf(event.response_id), event);
    case 'response_snapshot':
      return replaceParts(answerOf(event.response_id), event);
    case 'tool_call':
      return showCall(answerOf(event.response_id), event);
    case 'tool_result':
      return showResult(event);
    case 'ai_response':
      return finishAnswer(event);
    case 'session_ended':
      return showEnd(event);
    case 'session_summary':
      return note(log, `Summary: ${event.summary}`);
    case 'notice':
      return showNotice(event.message);
    case 'error':
      if (event.code === 'nothing_to_cancel') return undefined;
      if (event.response_id === undefined) outbox.delete(event.message_id);
      return note(answers.get(event.response_id)?.element ?? log, event.message, 'note bad');
    default:
      return undefined;
  }
}

// --- What is shown

function add(parent, tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

function note(parent, text, className = 'note') {
  add(parent, 'p', className, text);
}

/** Some notices come anew with each connection. */
function showNotice(text) {
  if (text !== lastNotice) note(log, text);
  lastNotice = text;
}

function showSaid(id, content) {
  if (!saidElements.has(id)) saidElements.set(id, add(log, 'div', 'said', content));
}

function answerOf(id) {
  if (!answers.has(id)) {
    const element = add(log, 'article', 'answer', '');
    answers.set(id, { element, index: -1, text: undefined });
    showStop();
  }
  return answers.get(id);
}

function addToken(answer, { index, content }) {
  if (index <= answer.index) return; // The snapshot held it.
  answer.index = index;
  answer.text ??= add(answer.element, 'p', '', '');
  answer.text.append(content);
}

/** Draws an answer anew from what the server says it is; the elements of its calls are kept. */
function replaceParts(answer, { message_id, index, content, parts }) {
  answer.message = message_id;
  const known = [...answer.element.querySelectorAll('.tool')];
  answer.element.replaceChildren();
  answer.text = undefined;
  for (const part of parts?.length ? parts : [{ text: content }]) {
    if (part.text !== undefined) answer.text = add(answer.element, 'p', '', part.text);
    else if (calls.has(part.call_id)) {
      answer.element.append(calls.get(part.call_id));
      answer.text = undefined;
    }
  }
  for (const call of known) if (!call.isConnected) answer.element.append(call);
  answer.index = index ?? answer.index;
}

function showCall(answer, event) {
  const text = `${event.name} ${JSON.stringify(event.arguments)} …`;
  calls.set(event.call_id, add(answer.element, 'div', 'tool', text));
  answer.text = undefined;
}

function showResult(event) {
  const element = calls.get(event.call_id);
  if (element === undefined) return;
  const outcome = event.ok ? JSON.stringify(event.content) : `failed: ${event.error.message}`;
  element.textContent = `${element.textContent.replace(/…$/, '')}→ ${outcome} (${event.duration_ms} ms)`;
}

function finishAnswer(event) {
  const answer = answerOf(event.response_id);
  const notes = [...answer.element.querySelectorAll('.note')];
  replaceParts(answer, event);
  if (event.finish_reason !== 'stop') note(answer.element, `Ended early: ${event.finish_reason}`);
  answer.element.append(...notes);
  answer.complete = true;
  forgetLost(event);
  unanswered.delete(event.message_id);
  showStop();
}

/** There is something to stop from the message on, also before its answer has begun. */
function showStop() {
  stopButton.hidden = unanswered.size === 0 && [...answers.values()].every(({ complete }) => complete);
}

/** Removes earlier answers to the same message that were never stored: the server crashed in the
 *  middle of them, and closed the message with an answer of another name. */
function forgetLost({ response_id, message_id }) {
  for (const [id, answer] of answers) {
    if (id === response_id) return;
    if (answer.message !== message_id || answer.complete) continue;
    answer.element.remove();
    answers.delete(id);
  }
}

function showEnd({ summary, metrics }) {
  note(log, `Session ended. ${summary ?? 'No summary yet.'}`);
  note(
    log,
    `${Math.round(metrics.duration_ms / 1_000)} s, ${metrics.user_messages} messages, ` +
      `${metrics.ai_responses} answers, ${metrics.tool_calls} tool calls (${metrics.tool_errors} failed), ` +
      `${metrics.input_tokens} tokens in, ${metrics.output_tokens} out`,
  );
  const again = add(log, 'a', 'note', 'New conversation');
  again.href = '/';
}

// --- What the user does

function say() {
  const content = input.value.trim();
  if (content === '') return;
  const id = mintId();
  outbox.set(id, content);
  showSaid(id, content);
  log.scrollTop = log.scrollHeight;
  input.value = '';
  if (seq >= replayEnd) send({ type: 'user_message', id, content });
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  say();
});
input.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
stopButton.addEventListener('click', () => send({ type: 'cancel' }));
endButton.addEventListener('click', () => send({ type: 'end' }));
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !stopButton.hidden) send({ type: 'cancel' });
});
addEventListener('online', () => socket === undefined && connect());
setInterval(checkLiveness, 1_000);
connect();
