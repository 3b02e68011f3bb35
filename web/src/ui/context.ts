// The session that a widget belongs to.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from '../session';

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('a widget stands outside of a session');
  return session;
}
