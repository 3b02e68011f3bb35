// Which session this page shows: `/?session=ID`. The address is the only place that knows it, so
// a reload, a bookmark and a link to another device all continue the same conversation.

import type { SessionId } from './protocol';

/** What the server takes as a session's name. */
const VALID_ID = /^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$/;

/** A random UUID. By hand, since `crypto.randomUUID` is absent where the page is not on https or
 *  localhost. */
export function mintId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The session in the address; a new one, put into the address, where there is none. */
export function currentSessionId(): SessionId {
  const asked = new URLSearchParams(location.search).get('session');
  if (asked !== null && VALID_ID.test(asked)) return asked;
  const minted = mintId();
  history.replaceState(null, '', addressOf(minted));
  return minted;
}

/** Puts a new session into the address, as a step the Back button undoes. */
export function startNewSession(): SessionId {
  const minted = mintId();
  history.pushState(null, '', addressOf(minted));
  return minted;
}

/** The WebSocket of a session, on the server the page came from. */
export function socketUrl(session: SessionId): URL {
  const url = new URL(`/ws/session/${encodeURIComponent(session)}`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

function addressOf(session: SessionId): string {
  return `?session=${encodeURIComponent(session)}`;
}
