// What a session receives, event by event, in the column at the right or its drawer. Loaded when it
// is first shown. Nothing is shown yet.

import type { Session } from '../session';

export function Inspector(_: { session: Session }) {
  return null;
}
