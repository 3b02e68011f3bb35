// Keeps the end of the conversation in view while it grows, until the reader looks elsewhere.
//
// Whether to follow is a decision of the reader, not a measured distance: scrolling up ends it at
// once, reaching the very bottom or asking for it starts it again, and growth never changes it.

import { type Signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** From the bottom up to here counts as the bottom, in pixels: browsers round. */
const BOTTOM_PX = 4;

interface Follow {
  /** The element that scrolls, and what grows inside it. */
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  following: Signal<boolean>;
  /** Goes to the bottom and stays there. */
  resume(): void;
  /** Stays where the reader is. */
  stopFollowing(): void;
}

export function useFollow(): Follow {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useSignal(true);

  const toBottom = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  const resume = () => {
    following.value = true;
    toBottom();
  };

  useEffect(() => {
    const element = scroller.current;
    if (element === null || content.current === null) return;
    let { scrollTop: top, scrollHeight: height } = element;
    const onScroll = () => {
      if (element.scrollHeight - element.clientHeight - element.scrollTop < BOTTOM_PX) {
        following.value = true;
      } else if (element.scrollTop < top && element.scrollHeight >= height) {
        following.value = false; // Where something above has gone, it is not the reader who moved.
      }
      ({ scrollTop: top, scrollHeight: height } = element);
    };
    const onWheel = (event: WheelEvent) => {
      if (event.deltaY < 0 && element.scrollTop > 0) following.value = false;
    };
    const growth = new ResizeObserver(() => following.value && toBottom());
    growth.observe(content.current);
    growth.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    element.addEventListener('wheel', onWheel, { passive: true });
    return () => {
      growth.disconnect();
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('wheel', onWheel);
    };
  }, []);

  const stopFollowing = () => {
    following.value = false;
  };

  return { scroller, content, following, resume, stopFollowing };
}
