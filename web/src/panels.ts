// The columns beside the conversation, and whether each is shown. Where there is room they stand in
// the page, as the user last left them; where there is none each is a drawer, closed until asked for.

import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { mediaSignal } from './media';
import { preferences } from './preferences';

export class PanelState {
  /** Whether there is room for a column. */
  readonly wide: ReadonlySignal<boolean>;
  readonly shown: ReadonlySignal<boolean>;
  private readonly drawer = signal(false);

  constructor(query: string, private readonly column: Signal<boolean>) {
    this.wide = mediaSignal(query);
    this.shown = computed(() => (this.wide.value ? column.value : this.drawer.value));
  }

  show(shown: boolean): void {
    if (this.wide.peek()) this.column.value = shown;
    else this.drawer.value = shown;
  }

  toggle(): void {
    this.show(!this.shown.peek());
  }

  /** Closes the drawer, if it is one: what was wanted from it was found. A column stays. */
  leaveDrawer(): void {
    this.drawer.value = false;
  }
}

export const sidebarPanel = new PanelState('(min-width: 720px)', preferences.sidebar);
export const inspectorPanel = new PanelState('(min-width: 1120px)', preferences.inspector);
