// The days under which the list stands, by the clock of this browser.

import type { StoredSession } from '../api/types';
import { strings } from '../strings';

interface Day {
  label: string;
  sessions: readonly StoredSession[];
}

const inThisYear = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const inAnyYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** In the order in which they come, which is the newest first. */
export function byDay(sessions: readonly StoredSession[], now: Date): readonly Day[] {
  const days = new Map<string, StoredSession[]>();
  for (const session of sessions) {
    const label = dayOf(new Date(session.start_time), now);
    const day = days.get(label);
    if (day === undefined) days.set(label, [session]);
    else day.push(session);
  }
  return [...days].map(([label, own]) => ({ label, sessions: own }));
}

/** The time of day: `09:30`. */
export function timeOf(at: string): string {
  return clock.format(new Date(at));
}

/** The day in words, as the search results say it too. */
export function dayOf(at: Date, now: Date): string {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (at.toDateString() === now.toDateString()) return strings.sidebar.today;
  if (at.toDateString() === yesterday.toDateString()) return strings.sidebar.yesterday;
  return (at.getFullYear() === now.getFullYear() ? inThisYear : inAnyYear).format(at);
}
