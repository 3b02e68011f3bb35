// What was deleted a moment ago and can be had back, floating over the page; in the drawer, where
// one lies over the page, since nothing beside it can be reached.

import { useEffect } from 'preact/hooks';
import { sidebarPanel } from '../panels';
import { strings } from '../strings';
import { followLeaving, hold, type Removal, removals, undo } from './removal';
import { focusWish } from './rows';

export function UndoBar() {
  useEffect(followLeaving, []);
  const covered = sidebarPanel.shown.value && !sidebarPanel.wide.value;
  return covered ? null : <Undos />;
}

export function Undos() {
  if (removals.value.length === 0) return null;
  const bringBack = (removal: Removal) => {
    undo(removal);
    // The button is about to go, and would take the focus with it.
    if (sidebarPanel.shown.peek()) focusWish.value = removal.id;
  };
  return (
    <section
      class="undo"
      aria-label={strings.sidebar.undoRegion}
      onMouseEnter={() => hold(true)}
      onMouseLeave={() => hold(false)}
      onFocusIn={() => hold(true)}
      onFocusOut={() => hold(false)}
    >
      {removals.value.map((removal) => (
        <div key={removal.id}>
          <p>{strings.sidebar.deleted(removal.title)}</p>
          <button type="button" onClick={() => bringBack(removal)}>{strings.sidebar.undo}</button>
        </div>
      ))}
    </section>
  );
}
