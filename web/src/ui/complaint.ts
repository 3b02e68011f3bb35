// Saying what is wrong with a text that is being written.

import { useEffect } from 'preact/hooks';
import { announce } from '../announce';

/** Says a complaint aloud when there begins to be one, and not with every key. */
export function useSpoken(complaint: string | undefined): void {
  useEffect(() => {
    if (complaint !== undefined) announce(complaint);
  }, [complaint !== undefined]);
}
