// Why the upgrade of a WebSocket was refused. A browser does not tell a page, so the page asks the HTTP API for the
// same session, and takes its word.

import { api, ApiError } from '../api';
import type { SessionId } from '../protocol';
import { needsToken } from './asking';
import { accessToken } from './token';

export type Verdict =
  /** Nothing speaks against trying again; `wait`: not before so many milliseconds. */
  | { kind: 'again'; wait: number; why?: 'busy' | 'unseen' }
  /** Another token is needed. */
  | { kind: 'locked' }
  /** There is none, and nobody asks who wants it: it may be begun, or its name is none to begin one under. */
  | { kind: 'absent' }
  /** It is not for this user. */
  | { kind: 'forbidden' };

export async function verdictOn(id: SessionId): Promise<Verdict> {
  try {
    await api.probe(id);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 403) return { kind: 'forbidden' };
    if (error.status === 429) return { kind: 'again', wait: error.wait ?? 0, why: 'busy' };
    // To a user, a session of somebody else looks like none; but one that there is not may be opened.
    if (error.status === 404) return accessToken.peek() === null ? absent() : { kind: 'again', wait: 0, why: 'unseen' };
  }
  return needsToken.peek() ? { kind: 'locked' } : { kind: 'again', wait: 0 };
}

const absent = (): Verdict => (needsToken.peek() ? { kind: 'locked' } : { kind: 'absent' });
