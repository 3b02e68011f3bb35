// The addresses of the page and of its server: `/?session=ID`, `/?session=ID&at=SEQ` for a place in
// it, `/?view=analytics`. Nothing here reads or changes where the page is; location.ts does.

import type { SessionId } from './protocol';

/** What the page shows. */
export type Route =
  /** A session; at the event `at` of its log, where that is asked for. */
  | { view: 'session'; session: SessionId; at: number | null }
  | { view: 'analytics' };

/** What the server takes as a session's name. */
const VALID_ID = /^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$/;

/** What an address asks for; `null` where it names no session that there could be. */
export function routeOf(search: string): Route | null {
  const query = new URLSearchParams(search);
  if (query.get('view') === 'analytics') return { view: 'analytics' };
  const session = query.get('session');
  if (session === null || !VALID_ID.test(session)) return null;
  const at = Number(query.get('at'));
  return { view: 'session', session, at: Number.isSafeInteger(at) && at > 0 ? at : null };
}

/** The address of a route, to be put into a link. */
export function addressOf(route: Route): string {
  if (route.view === 'analytics') return '?view=analytics';
  const at = route.at === null ? '' : `&at=${route.at}`;
  return `?session=${encodeURIComponent(route.session)}${at}`;
}

/** The WebSocket of a session, on the server the page came from. */
export function socketUrl(session: SessionId): URL {
  const url = new URL(`/ws/session/${encodeURIComponent(session)}`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

/** A random UUID. By hand, since `crypto.randomUUID` is absent where the page is not on https or
 *  localhost. */
export function mintId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
