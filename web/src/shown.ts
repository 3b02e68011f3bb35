// The session that is shown: the one that the address names. It stays open while another view lies
// over it, and is left when another session is opened.

import { effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { watchForInspector } from './inspector/watch';
import { route } from './location';
import type { SessionId } from './protocol';
import { Session } from './session';
import { watchForTitle } from './sidebar/titles';

/** What other parts of the page do with every session that is opened, from its first event on. */
const WATCHERS: readonly ((session: Session) => void)[] = [watchForInspector, watchForTitle];

const current = signal<Session | null>(null);

/** `null` until the address first names one. */
export const shownSession: ReadonlySignal<Session | null> = current;

/** Opens what the address names, from now on. Answers with what ends that. */
export function followRoute(): () => void {
  return effect(() => {
    const to = route.value;
    // A session reads its own signals while it is made: those are no reason to make another.
    if (to.view === 'session') untracked(() => show(to.session));
  });
}

function show(id: SessionId): void {
  if (current.value?.id === id) return;
  current.value?.leave();
  const session = new Session(id);
  for (const watch of WATCHERS) watch(session);
  current.value = session;
}
