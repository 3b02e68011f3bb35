// Whether a key belongs to an input method that composes a word (Japanese, Chinese, Korean).

/** What browsers call a key that an input method has taken; Safari says so after the composing has ended. */
const TAKEN_KEY = 229;

export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN_KEY;
}
