// Whose what is written in this tab is: drafts and waiting messages stand in its storage under the name of whoever
// wrote them, so that nothing is ever sent as somebody else. What nobody wrote yet, before signing in, becomes that
// of the first who does.

import { accessToken, ownerOf } from './token';

/** What is kept for each session. */
type Kind = 'outbox' | 'draft' | 'edits';

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
    const text = rest === undefined ? null : sessionStorage.getItem(key);
    if (rest === undefined || text === null) continue;
    move(key, keyAs(token, rest), text);
  }
}

/** Forgets all that the tab's storage holds of the page. */
export function forgetAll(): void {
  for (const key of keys()) sessionStorage.removeItem(key);
}

function move(from: string, to: string, text: string): void {
  sessionStorage.removeItem(from); // First: there may be no room for both.
  try {
    sessionStorage.setItem(to, text);
  } catch {
    sessionStorage.setItem(from, text); // Nor for the longer name. What the page shows lives on in memory.
  }
}

function keyAs(token: string, rest: string): string {
  return `${ANY}as.${encodeURIComponent(ownerOf(token))}.${rest}`;
}

function keys(): string[] {
  try {
    const all = Array.from({ length: sessionStorage.length }, (_, at) => sessionStorage.key(at) ?? '');
    return all.filter((key) => key.startsWith(ANY));
  } catch {
    return []; // Forbidden by the browser's settings.
  }
}
