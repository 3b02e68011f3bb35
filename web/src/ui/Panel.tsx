// A column beside the conversation, or a drawer where there is no room for one; nothing while it is
// not shown. Its content cannot tell which.

import type { ComponentChildren } from 'preact';
import type { PanelState } from '../panels';
import { Drawer } from './Drawer';

interface PanelProps {
  state: PanelState;
  /** Its class as a column, which gives it its place and width: see layout.css. */
  name: 'sidebar' | 'inspector';
  label: string;
  children: ComponentChildren;
}

export function Panel({ state, name, label, children }: PanelProps) {
  if (!state.shown.value) return null;
  if (state.wide.value) return <aside class={name} aria-label={label}>{children}</aside>;
  return (
    <Drawer side={name === 'sidebar' ? 'left' : 'right'} label={label} onClose={() => state.show(false)}>
      {children}
    </Drawer>
  );
}
