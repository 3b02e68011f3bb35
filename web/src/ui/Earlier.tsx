// The way to what stands in front of the part that is shown.

import type { RefObject } from 'preact';
import { strings } from '../strings';
import { useSession } from './context';

interface EarlierButtonProps {
  scroller: RefObject<HTMLElement | null>;
  stopFollowing(): void;
}

export function EarlierButton({ scroller, stopFollowing }: EarlierButtonProps) {
  const session = useSession();
  const earlier = session.earlier.value;
  if (earlier === 'none') return null;
  const words = { more: strings.opening.earlier, loading: strings.opening.loading, failed: strings.opening.failed };
  const show = async () => {
    const log = scroller.current;
    if (log === null) return;
    stopFollowing();
    const fromEnd = log.scrollHeight - log.scrollTop;
    await session.showEarlier();
    // What was read stays where it was, below what has come.
    requestAnimationFrame(() => {
      log.scrollTop = log.scrollHeight - fromEnd;
      log.focus();
    });
  };
  return (
    <p class="earlier-messages">
      <button type="button" disabled={earlier === 'loading'} onClick={() => void show()}>
        {words[earlier]}
      </button>
    </p>
  );
}
