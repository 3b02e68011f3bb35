// Where the inspector begins to write down what a session receives, before anybody looks at it.
// It is part of the first load, so it does nothing but that.

import type { Session } from '../session';
import { EventRecord } from './record';

const records = new WeakMap<Session, EventRecord>();

/** Is told of every session that is opened, before its first event. */
export function watchForInspector(session: Session): void {
  const record = recordOf(session);
  session.listen((event, arrivedAt) => record.add(event, arrivedAt));
}

/** What a session received; nothing, where nobody watched it. */
export function recordOf(session: Session): EventRecord {
  const known = records.get(session);
  if (known !== undefined) return known;
  const record = new EventRecord();
  records.set(session, record);
  return record;
}
