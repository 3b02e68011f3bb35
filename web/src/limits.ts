// What somebody is told who has reached a limit: that, and when it goes on.

import type { ErrorEvent, ServerMessage } from './protocol';
import { strings } from './strings';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Budget = keyof typeof strings.limits.spent;

/** An event as it is kept: how long to wait from now on becomes the moment at which that is over. */
export function dated(event: ServerMessage, now: number): ServerMessage {
  if (event.type !== 'error' || event.code !== 'rate_limited') return event;
  const wait = event.details?.retry_after_ms;
  if (typeof wait !== 'number') return event;
  return { ...event, details: { ...event.details, resets_at: new Date(now + wait).toISOString() } };
}

/** What an error says; of a limit in plain words, and when it goes on. */
export function explain({ code, message, details = {} }: ErrorEvent): string {
  if (code !== 'rate_limited' && code !== 'limit_reached') return message;
  const { limit, resets_at } = details;
  const moment = typeof resets_at === 'string' ? Date.parse(resets_at) : Number.NaN;
  const when = Number.isNaN(moment) ? null : momentWords(moment, Date.now());
  if (code === 'rate_limited') return strings.limits.tooFast(when);
  const [kind] = /^(turn|session|user_day)(?=_)/.exec(String(limit)) ?? [];
  return kind === undefined ? strings.limits.other(message, when) : strings.limits.spent[kind as Budget](when);
}

/** A moment by the clock here, as exactly as it is near: what stays on the page must not age. */
export function momentWords(moment: number, now: number): string {
  const isSameDay = new Date(moment).toDateString() === new Date(now).toDateString();
  const words = new Intl.DateTimeFormat('en', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(moment - now < HOUR && { second: '2-digit' }),
    ...(!isSameDay && { day: 'numeric', month: 'long' }),
  });
  return words.format(moment);
}
