// Where a session gets its title: from the first message that is stored. None is given yet.

import type { Session } from '../session';

/** Is told of every session that is opened, before its first event; `session.listen` has the rest. */
export function watchForTitle(_session: Session): void {}
