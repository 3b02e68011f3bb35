// Saying what is wrong with a text that is being written.

import { useEffect, useRef } from 'preact/hooks';
import { announce } from '../announce';

/** So long a complaint that changes with every key waits for the next one, in milliseconds. */
const REST_MS = 1_000;

/** Says a complaint aloud when there begins to be one; when it changes, once the typing rests. */
export function useSpoken(complaint: string | undefined): void {
  const complained = useRef(false);
  useEffect(() => {
    const isNew = !complained.current;
    complained.current = complaint !== undefined;
    if (complaint === undefined) return;
    if (isNew) {
      announce(complaint);
      return;
    }
    const timer = setTimeout(() => announce(complaint), REST_MS);
    return () => clearTimeout(timer);
  }, [complaint]);
}
