// Where the connection of a session stands.

/** Why the server refused a connection, where that is known: there are too many, or it is not to be seen whether
 *  there is such a session. */
export type Reason = 'busy' | 'unseen';

export type Connection =
  | { phase: 'connecting' }
  | { phase: 'open' }
  /** Lost; the next attempt is at `retryAt` (milliseconds, as `Date.now()`). */
  | { phase: 'waiting'; retryAt: number; why?: Reason }
  /** Closed by the server for want of something to do; the next message opens it again. */
  | { phase: 'resting' }
  /** Without a token that the server takes; it goes on with the next one. */
  | { phase: 'locked' }
  /** Closed for good, with the code of the close frame. */
  | { phase: 'closed'; code: number };
