// Where the page is. The address is the only place that knows it, so a reload, a bookmark and a
// link to another device all lead to the same, and the Back button works.

import { type ReadonlySignal, signal } from '@preact/signals';
import { addressOf, mintId, type Route, routeOf } from './address';
import type { SessionId } from './protocol';

const current = signal<Route>(read());

/** What the page shows. Going to the same place again is told again. */
export const route: ReadonlySignal<Route> = current;

/** Goes somewhere, as a step that the Back button undoes; `replace` makes it none. */
export function navigate(to: Route, { replace = false } = {}): void {
  if (replace || addressOf(to) === location.search) history.replaceState(null, '', addressOf(to));
  else history.pushState(null, '', addressOf(to));
  current.value = to;
}

/** Opens a session; at the event `at` of its log, if given. */
export function openSession(session: SessionId, at: number | null = null): void {
  navigate({ view: 'session', session, at });
}

/** Opens a new session; with `replace`, in the place of the one that is shown. */
export function startNewSession({ replace = false } = {}): void {
  navigate({ view: 'session', session: mintId(), at: null }, { replace });
}

/** Follows Back and Forward. Answers with what ends that. */
export function followAddress(): () => void {
  const follow = () => {
    const now = read();
    // A step to `#message` is one too, and leads nowhere else.
    if (addressOf(now) !== addressOf(current.peek())) current.value = now;
  };
  addEventListener('popstate', follow);
  return () => removeEventListener('popstate', follow);
}

/** The route in the address; a new session, put into the address, where there is none. */
function read(): Route {
  const asked = routeOf(location.search);
  if (asked !== null) return asked;
  const fresh: Route = { view: 'session', session: mintId(), at: null };
  history.replaceState(null, '', addressOf(fresh));
  return fresh;
}
