// Which dialog is open, of those that lie over every view. At most one.

import { signal } from '@preact/signals';
import type { SessionId } from '../protocol';

export type Open = { kind: 'settings' | 'shortcuts' | 'palette' } | { kind: 'session'; id: SessionId };

export const openDialog = signal<Open | null>(null);

export function show(dialog: Open): void {
  openDialog.value = dialog;
}

/** Closes the open one. What `then` does comes after it gave the focus back. */
export function close(then?: () => void): void {
  openDialog.value = null;
  if (then !== undefined) setTimeout(then);
}
