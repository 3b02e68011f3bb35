// Where a session gets its title: from the first message that is stored. And what a session on the
// page tells the list: that it has begun, and that it has ended.

import { api } from '../api';
import type { SessionId } from '../protocol';
import type { Session } from '../session';
import { find, refreshSoon, takeOver } from './sessions';
import { isEmpty, ownTitle, titleFrom } from './words';

/** Is told of every session that is opened, before its first event; `session.listen` has the rest. */
export function watchForTitle(session: Session): void {
  // Only what began here gets a title: to look at a session is no reason to change it.
  let isNew = false;
  let first: string | null = null;
  let done = false;
  const tryIt = () => {
    if (first === null || done) return;
    done = true;
    void giveTitle(session.id, titleFrom(first)).then((given) => (done = given));
  };
  session.listen((event) => {
    switch (event.type) {
      case 'session_ready':
        isNew ||= event.last_seq <= 1;
        return;
      case 'user_message':
        if (!isListed(session.id)) refreshSoon();
        if (isNew) first ??= event.content;
        return tryIt();
      case 'ai_response': // Where it failed, this is another chance.
        return tryIt();
      case 'session_ended':
      case 'session_summary':
        return refreshSoon();
    }
  });
}

function isListed(id: SessionId): boolean {
  const row = find(id);
  return row !== undefined && !isEmpty(row);
}

/** Gives a title where there is none. Answers whether there is one now. */
async function giveTitle(id: SessionId, title: string): Promise<boolean> {
  try {
    const stored = await api.session(id);
    if (ownTitle(stored) === null) takeOver(await api.change(id, { title }));
    return true;
  } catch {
    return false;
  }
}
