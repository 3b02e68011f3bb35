// What the connection of a session needs to know of tokens.

import type { SessionId } from '../protocol';
import { needsToken, refused } from './asking';
import { accessToken, protocolsFor } from './token';
import { type Verdict, verdictOn } from './verdict';

export interface Credentials {
  /** `null` where there is none. */
  token(): string | null;
  /** What to offer as protocols; nothing without a token. */
  protocols(): string[];
  /** Whether a connection would be refused until there is another token. */
  isLocked(): boolean;
  /** The server no longer takes this token. */
  ranOut(token: string | null): void;
  /** Why an upgrade may have been refused. */
  why(): Promise<Verdict>;
}

export function credentialsFor(id: SessionId): Credentials {
  return {
    token: () => accessToken.peek(),
    protocols: () => {
      const token = accessToken.peek();
      return token === null ? [] : protocolsFor(token);
    },
    isLocked: () => needsToken.peek(),
    ranOut: refused,
    why: () => verdictOn(id),
  };
}
