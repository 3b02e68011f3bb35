// The title of the page: what is shown on it, so that tabs and steps back can be told apart.

import { effect } from '@preact/signals';
import { route } from './location';
import { find } from './sidebar/sessions';
import { titleOf } from './sidebar/words';
import { strings } from './strings';

/** Keeps it right. Answers with what ends that. */
export function followTitle(): () => void {
  return effect(() => {
    const to = route.value;
    const row = to.view === 'session' ? find(to.session) : undefined;
    const shown = to.view === 'analytics' ? strings.analytics.title : row && titleOf(row);
    document.title = shown === undefined ? strings.name : `${shown} · ${strings.name}`;
  });
}
