// All keyboard shortcuts. Loaded when it is first shown.

import { shortcuts } from '../keyboard';
import { preferences } from '../preferences';
import { strings } from '../strings';
import { Dialog } from '../ui/Dialog';
import { Keys } from './Keys';

const WRITING = [
  { keys: 'Enter', label: strings.shortcuts.send },
  { keys: 'shift+Enter', label: strings.shortcuts.newLine },
  { keys: 'Escape', label: strings.shortcuts.stop },
];

export function ShortcutSheet({ onClose }: { onClose(): void }) {
  return (
    <Dialog title={strings.shortcuts.title} onClose={onClose}>
      {!preferences.shortcuts.value && <p class="note">{strings.shortcuts.off}</p>}
      <List title={strings.shortcuts.everywhere} items={shortcuts.value} />
      <List title={strings.shortcuts.writing} items={WRITING} />
    </Dialog>
  );
}

function List({ title, items }: { title: string; items: readonly { keys: string; label: string }[] }) {
  return (
    <section class="field">
      <h3>{title}</h3>
      <dl class="shortcuts">
        {items.map(({ keys, label }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd><Keys keys={keys} /></dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
