// Work that need not happen more often than the screen is drawn.

/** How long work waits while the page is hidden, in milliseconds: the browser draws no frames
 *  then, and an answer must go on arriving. */
const HIDDEN_DELAY_MS = 50;

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
