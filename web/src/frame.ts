// Work that need not happen more often than the screen is drawn.

/** How long work waits while the page is hidden, in milliseconds: the browser draws no frames
 *  then, and an answer must go on arriving. */
const HIDDEN_DELAY_MS = 50;

/** Work up to here may be done in every frame, in milliseconds. */
const CHEAP_MS = 12;
/** After work that took longer, so many times as long belongs to everything else. */
const SHARE_OF_OTHERS = 3;
/** The longest pause, in milliseconds: words must go on arriving. */
const LONGEST_PAUSE_MS = 1_000;

/** Makes a function that runs `work` once, at the next frame, however often it is called before. */
export function oncePerFrame(work: () => void): () => void {
  let pending = false;
  const run = () => {
    if (!pending) return;
    pending = false;
    work();
  };
  return () => {
    if (pending) return;
    pending = true;
    // The timer also serves a page that is hidden while it waits for a frame.
    if (!document.hidden) requestAnimationFrame(run);
    setTimeout(run, document.hidden ? HIDDEN_DELAY_MS : 4 * HIDDEN_DELAY_MS);
  };
}

/** Does work at once where it is cheap; the more it costs the less often, and then what was asked for last. */
export class Pace {
  private waiting: (() => void) | undefined;
  private resting = false;

  run(work: () => void): void {
    if (this.resting) this.waiting = work;
    else this.start(work);
  }

  /** Does it now, in the place of what waits. */
  runNow(work: () => void): void {
    this.waiting = undefined;
    work();
  }

  private start(work: () => void): void {
    this.resting = true;
    const begun = performance.now();
    const wasHidden = document.hidden;
    try {
      work();
    } finally {
      // Within a frame, this is when the page is laid out and painted, which is a part of the cost.
      setTimeout(() => {
        // A hidden page has its timers called late, which costs nothing.
        const cost = wasHidden || document.hidden ? 0 : performance.now() - begun;
        setTimeout(this.goOn, cost <= CHEAP_MS ? 0 : Math.min(SHARE_OF_OTHERS * cost, LONGEST_PAUSE_MS));
      });
    }
  }

  private readonly goOn = oncePerFrame(() => {
    this.resting = false;
    const work = this.waiting;
    this.waiting = undefined;
    if (work !== undefined) this.start(work);
  });
}
