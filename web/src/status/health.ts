// How the server is, as it says itself, and what of that a person wants to know. The WebSocket tells
// the same as it happens; this is for a page that has no connection yet.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { api } from '../api';
import type { Health } from '../api/server';
import type { Notice } from '../protocol';
import { strings } from '../strings';

/** How soon it is asked again while something is wrong, in milliseconds. */
const AGAIN_MS = 15_000;

const last = signal<Health | null>(null);

/** `null` while nobody answered. */
export const health: ReadonlySignal<Health | null> = last;

export const healthNotices = computed<readonly Notice[]>(() => (last.value === null ? [] : noticesOf(last.value)));

/** What a person wants to know of it. */
function noticesOf({ model, store, draining, circuits }: Health): readonly Notice[] {
  const notices: Notice[] = [];
  const isOpen = circuits.some(
    (circuit) => circuit.state === 'open' && circuit.provider === model.provider && circuit.model === model.model,
  );
  if (model.provider === 'demo') notices.push({ code: 'demo_model', message: strings.status.demo });
  if (store.status !== 'ok') notices.push({ code: 'store_degraded', message: strings.status.degraded });
  if (isOpen) notices.push({ code: 'provider_failover', message: strings.status.failover(model.model) });
  if (draining) notices.push({ code: 'draining', message: strings.status.draining });
  return notices;
}

/** Asks now and whenever somebody comes back to the page. Answers with what ends that. */
export function followHealth(): () => void {
  const end = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    clearTimeout(timer);
    try {
      last.value = await api.health(end.signal);
    } catch {
      if (!end.signal.aborted) last.value = null; // The strip says that the connection is lost.
    }
    const isWell = healthNotices.peek().every(({ code }) => code === 'demo_model');
    if (!isWell && !end.signal.aborted) timer = setTimeout(() => void ask(), AGAIN_MS);
  };
  void ask();
  addEventListener('focus', () => void ask(), { signal: end.signal });
  return () => {
    clearTimeout(timer);
    end.abort();
  };
}
