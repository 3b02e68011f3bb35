// Whether the page has to ask for a token, and who waits for one. What the server refuses for want of a token waits
// here and is asked again when there is one: nothing fails, and nothing has to be done again by hand.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { announce } from '../announce';
import { strings } from '../strings';
import { accessToken } from './token';

/** Nobody is interrupted who wrote something so little ago, in milliseconds. */
const CALM_MS = 2_000;

const isNeeded = signal(false);
const isShown = signal(false);

/** Whether the server takes no request without another token. */
export const needsToken: ReadonlySignal<boolean> = isNeeded;
/** Whether the dialog is open that asks for one. */
export const askingNow: ReadonlySignal<boolean> = isShown;
/** What to say where the token had to be asked for. */
export const whyAsked = computed(() => (accessToken.value === null ? strings.access.missing : strings.access.ranOut));

let typedAt = -Infinity;
let timer: ReturnType<typeof setTimeout> | undefined;
let waiting: (() => void)[] = [];

/** The server did not take `token` (`null`: none was sent). Asks for another, unless there is one by now. */
export function refused(token: string | null): void {
  if (isNeeded.peek() || token !== accessToken.peek()) return;
  isNeeded.value = true;
  announce(`${whyAsked.peek()} ${strings.access.waits}`);
  askWhenCalm();
}

/** Settled when there is a token that may be good, or none is needed. `signal` gives up. */
export async function whenAllowed(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (!isNeeded.peek()) return;
  await new Promise<void>((resolve, reject) => {
    waiting.push(resolve);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** There is a token that the server takes: whoever waited goes on. */
export function goOn(): void {
  clearTimeout(timer);
  isNeeded.value = false;
  isShown.value = false;
  const all = waiting;
  waiting = [];
  for (const resolve of all) resolve();
}

export function ask(): void {
  clearTimeout(timer);
  isShown.value = true;
}

/** Leaves it for later: a strip keeps saying what is the matter. */
export function askLater(): void {
  isShown.value = false;
}

/** A box that opens under somebody's hands would take the next words for a token. */
export function followTyping(): () => void {
  const note = () => (typedAt = performance.now());
  addEventListener('input', note, true);
  return () => removeEventListener('input', note, true);
}

function askWhenCalm(): void {
  const wait = typedAt + CALM_MS - performance.now();
  if (wait > 0) timer = setTimeout(askWhenCalm, wait);
  else ask();
}
