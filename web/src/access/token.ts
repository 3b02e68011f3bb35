// The access token of this tab, and whose it is. It is kept in memory and in the tab's storage, and nowhere else:
// no other tab has it, no address names it, and it is gone when the tab is.

import { type ReadonlySignal, signal, untracked } from '@preact/signals';
import { tabStorage } from '../storage';

const KEY = 'patter.token';

const current = signal<string | null>(stored());

/** `null` where nobody has signed in. A token that the server no longer takes stays until there is another:
 *  it tells whose tab this is. */
export const accessToken: ReadonlySignal<string | null> = current;

/** Uses a token from now on. */
export function use(token: string): void {
  keep(token);
  current.value = token;
}

/** Tells when there is another token, from now on. Answers with what ends that. */
export function onNewToken(then: () => void): () => void {
  let known = current.peek();
  return current.subscribe((token) => {
    if (token === known) return;
    known = token;
    untracked(then);
  });
}

/** Keeps a token for the page that is loaded next; this one goes on with its own. */
export function keep(token: string): void {
  tabStorage.set(KEY, token);
}

/** What the next page of this tab will find; `null` for nothing. */
export function stored(): string | null {
  return tabStorage.lasting(KEY);
}

/** The token in what somebody pasted; `null` where there is none that could be sent. */
export function tokenIn(pasted: string): string | null {
  const token = pasted.trim().replace(/^bearer\s+/i, '');
  return /^[\x21-\x7e]+$/.test(token) ? token : null;
}

/** Who the token names (`sub` of a JWT); `null` where it does not say. Nothing here checks that: the server does. */
export function subjectOf(token: string): string | null {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === 'string' && sub !== '' ? sub : null;
  } catch {
    return null; // No JWT.
  }
}

/** A name for whoever has the token: the same for every token of one user, where tokens name users. */
export function ownerOf(token: string): string {
  const subject = subjectOf(token);
  return subject === null ? `token ${digest(token)}` : `user ${subject}`;
}

/** What a WebSocket offers as protocols: a browser can send a token with it nowhere else. */
export function protocolsFor(token: string): string[] {
  const encoded = btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return ['patter.v1', `base64url.bearer.${encoded}`];
}

/** Tells tokens apart (FNV-1a); far too short to say anything of one. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(16);
}
