// Whose what is written in this tab is: drafts and waiting messages stand in its storage under the name of whoever
// wrote them, so that nothing is ever sent as somebody else. What nobody wrote yet, before signing in, becomes that
// of the first who does.

import { tabStorage } from '../storage';
import { accessToken, ownerOf } from './token';

/** What is kept for each session. */
const KINDS = ['outbox', 'draft', 'edits'] as const;
type Kind = (typeof KINDS)[number];

const ANY = 'patter.';
const OF_NOBODY = /^patter\.((?:outbox|draft|edits)\..*)$/;

/** Where something of a session is kept, as of now. */
export function keyOf(kind: Kind, session: string): string {
  const token = accessToken.peek();
  return token === null ? `${ANY}${kind}.${session}` : keyAs(token, `${kind}.${session}`);
}

/** Gives what was written before anybody signed in to the holder of `token`. */
export function adopt(token: string): void {
  for (const key of keys()) {
    const [, rest] = OF_NOBODY.exec(key) ?? [];
    const text = rest === undefined ? null : tabStorage.get(key);
    if (rest === undefined || text === null) continue;
    move(key, keyAs(token, rest), text);
  }
}

/** Forgets what was written in a session that there is no more. */
export function forgetSession(session: string): void {
  for (const kind of KINDS) tabStorage.set(keyOf(kind, session), null);
}

/** Forgets all that the tab's storage holds of the page. */
export function forgetAll(): void {
  for (const key of keys()) tabStorage.set(key, null);
}

function move(from: string, to: string, text: string): void {
  tabStorage.set(from, null); // First: there may be no room for both.
  // Nor for the longer name: then it outlives the page under the old one.
  if (!tabStorage.set(to, text)) tabStorage.set(from, text);
}

function keyAs(token: string, rest: string): string {
  return `${ANY}as.${encodeURIComponent(ownerOf(token))}.${rest}`;
}

function keys(): string[] {
  return tabStorage.keys().filter((key) => key.startsWith(ANY));
}
