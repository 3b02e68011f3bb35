// Those who are told of every event of a session.

import type { ServerMessage } from './protocol';

/** Is told of an event as it comes, before it is drawn. `arrivedAt`: milliseconds since 1970, by a clock
 *  that never goes back. */
export type Listener = (event: ServerMessage, arrivedAt: number) => void;

export class Listeners {
  private readonly all = new Set<Listener>();

  /** Answers with what ends that it is told. */
  add(listener: Listener): () => void {
    this.all.add(listener);
    return () => void this.all.delete(listener);
  }

  tell(event: ServerMessage, arrivedAt = performance.timeOrigin + performance.now()): void {
    for (const listener of this.all) {
      try {
        listener(event, arrivedAt);
      } catch (error) {
        reportError(error); // A fault of a listener is no reason to lose an event.
      }
    }
  }
}
