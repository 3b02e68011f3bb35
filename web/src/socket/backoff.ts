// How long to wait before the next attempt to connect, in milliseconds.

/** The shortest wait, and how the longest one grows. */
const BACKOFF = { floor: 250, first: 500, ceiling: 30_000 };
const RESTARTING = 1012;
const RESTART_SPREAD_MS = 5_000;

/** After so many failed `attempts`, the last of them with close code `code`. Full jitter: a server that comes back
 *  is not met by all its clients at once. */
export function backoff(attempts: number, code: number): number {
  const grown = Math.min(BACKOFF.ceiling, BACKOFF.first * 2 ** attempts);
  const spread = code === RESTARTING && attempts === 0 ? RESTART_SPREAD_MS : grown;
  return BACKOFF.floor + Math.random() * (spread - BACKOFF.floor);
}
