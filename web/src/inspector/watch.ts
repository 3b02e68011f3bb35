// Where the inspector begins to write down what a session receives, before anybody looks at it.
// It is part of the first load, so it does nothing but that. Nothing is written down yet.

import type { Session } from '../session';

/** Is told of every session that is opened, before its first event; `session.listen` has the rest. */
export function watchForInspector(_session: Session): void {}
