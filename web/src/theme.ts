// The theme on the page: the chosen one, else the system's. `data-theme` on the root element is
// always `light` or `dark`, and the only thing that the styles ask.

import { computed, effect } from '@preact/signals';
import { mediaSignal } from './media';
import { preferences } from './preferences';

const systemIsDark = mediaSignal('(prefers-color-scheme: dark)');

/** What is shown. Who draws by hand (a plot) reads this and draws again when it changes. */
export const shownTheme = computed<'light' | 'dark'>(() => {
  const chosen = preferences.theme.value;
  if (chosen !== 'system') return chosen;
  return systemIsDark.value ? 'dark' : 'light';
});

/** Keeps the page in the theme. Answers with what ends that. */
export function followTheme(): () => void {
  return effect(() => {
    document.documentElement.dataset.theme = shownTheme.value;
    const paper = getComputedStyle(document.documentElement).getPropertyValue('--paper').trim();
    // The browser's own bars, where it colours them.
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) meta.content = paper;
  });
}
