// Opens and closes the list of sessions, from the bar of each view.

import { sidebarPanel } from '../panels';
import { strings } from '../strings';
import { Icon } from '../ui/icons';

export function SidebarButton() {
  return (
    <button
      type="button"
      class="quiet icon-button"
      aria-label={strings.sidebar.toggle}
      aria-expanded={sidebarPanel.shown.value}
      onClick={() => sidebarPanel.toggle()}
    >
      <Icon name="menu" />
    </button>
  );
}
