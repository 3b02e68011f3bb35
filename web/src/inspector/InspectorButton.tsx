// Opens and closes the inspector, from the title bar, and by its keys.

import { useEffect } from 'preact/hooks';
import { isApple, register } from '../keyboard';
import { inspectorPanel } from '../panels';
import { strings } from '../strings';
import { Icon } from '../ui/icons';

/** No browser has a use for these. They work while somebody types. */
const KEYS = "mod+'";
const SHOWN = KEYS.replace('mod+', isApple() ? '⌘' : 'Ctrl+');

export function InspectorButton() {
  useEffect(() => register({ keys: KEYS, label: strings.inspector.toggle, run: () => inspectorPanel.toggle() }), []);
  return (
    <button
      type="button"
      class="quiet inspector-button"
      aria-label={strings.inspector.region}
      aria-pressed={inspectorPanel.shown.value}
      title={`${strings.inspector.region} (${SHOWN})`}
      onClick={() => inspectorPanel.toggle()}
    >
      <Icon name="inspector" />
    </button>
  );
}
