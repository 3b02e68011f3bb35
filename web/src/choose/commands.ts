// The shortcuts of the page as a whole. Others register their own; the sheet and the palette show all.

import type { Shortcut } from '../keyboard';
import { openSession, startNewSession } from '../location';
import { sidebarPanel } from '../panels';
import { searchWish } from '../search/search';
import { besideShown } from '../sidebar/rows';
import { strings } from '../strings';
import { show } from './open';

const words = strings.shortcuts;

export const commands: readonly Shortcut[] = [
  { keys: 'mod+k', label: words.palette, run: () => show({ kind: 'palette' }) },
  { keys: '?', label: words.sheet, run: () => show({ kind: 'shortcuts' }) },
  { keys: '/', label: words.search, run: search },
  { keys: 'n', label: words.startNew, run: () => startNewSession() },
  { keys: '[', label: words.sidebar, run: () => sidebarPanel.toggle() },
  { keys: 'j', label: words.next, run: () => goTo(1), when: () => besideShown(1) !== null },
  { keys: 'k', label: words.previous, run: () => goTo(-1), when: () => besideShown(-1) !== null },
  { keys: ',', label: words.settings, run: () => show({ kind: 'settings' }) },
];

function search(): void {
  sidebarPanel.show(true);
  searchWish.value = true;
}

function goTo(step: 1 | -1): void {
  const id = besideShown(step);
  if (id !== null) openSession(id);
}
