// Signing in and out. The same user with a new token goes on where they were; for another one, and after signing
// out, the page is loaded anew, so that nothing of one user is left on it for the next.

import { batch } from '@preact/signals';
import { api } from '../api';
import { goOn } from './asking';
import { adopt, forgetAll } from './owner';
import { accessToken, keep, ownerOf, stored, use } from './token';

/** Uses a token that the server takes. Fails with an `ApiError` where it does not, and nothing has changed then. */
export async function signIn(token: string): Promise<void> {
  await api.tryToken(token);
  const before = accessToken.peek();
  if (before !== null && ownerOf(before) !== ownerOf(token)) {
    keep(token);
    startAnew();
    return;
  }
  if (before === null) adopt(token);
  // At once for whoever follows the token: it is good already.
  batch(() => {
    use(token);
    goOn();
  });
}

/** Forgets the token, and what was written in this tab and not sent. */
export function signOut(): void {
  forgetAll();
  startAnew();
}

/** A page that Back brings back from memory may be that of somebody who has signed out. */
export function followReturning(): () => void {
  const look = ({ persisted }: PageTransitionEvent) => {
    if (persisted && stored() !== accessToken.peek()) location.reload();
  };
  addEventListener('pageshow', look);
  return () => removeEventListener('pageshow', look);
}

/** With a new session. What is done when this page is left is still done as whoever was signed in. */
function startAnew(): void {
  location.replace(location.pathname);
}
