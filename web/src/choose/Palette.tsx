// The command palette: every shortcut, every conversation that is loaded, found by a few letters.
// Loaded when it is first shown. The focus stays in the box; the arrow keys choose.

import { useEffect, useState } from 'preact/hooks';
import { shortcuts } from '../keyboard';
import { navigate, openSession } from '../location';
import { preferences, type Theme } from '../preferences';
import { listedSessions } from '../sidebar/rows';
import { refreshSessions } from '../sidebar/sessions';
import { titleOf } from '../sidebar/words';
import { strings } from '../strings';
import { isComposing } from '../ui/composing';
import { Dialog } from '../ui/Dialog';
import { Keys } from './Keys';
import { close } from './open';

interface Item {
  id: string;
  label: string;
  keys?: string;
  run(): void;
}

const MOST_ITEMS = 12;
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function Palette({ onClose }: { onClose(): void }) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  useEffect(() => void refreshSessions(), []);
  const items = matching(text);
  const active = Math.min(chosen, items.length - 1);
  useEffect(() => document.getElementById(`palette-${active}`)?.scrollIntoView({ block: 'nearest' }), [active]);

  const run = (item: Item | undefined) => {
    if (item !== undefined) close(() => item.run());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined && event.key !== 'Enter') return;
    event.preventDefault();
    if (step === undefined) run(items[active]);
    else if (items.length > 0) setChosen((active + step + items.length) % items.length);
  };
  return (
    <Dialog title={strings.palette.title} bare onClose={onClose}>
      <div class="palette">
        <input
          type="text"
          role="combobox"
          aria-label={strings.palette.label}
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls="palette-items"
          aria-activedescendant={items.length > 0 ? `palette-${active}` : undefined}
          placeholder={strings.palette.label}
          autoComplete="off"
          autoFocus
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
        />
        <ul id="palette-items" role="listbox" aria-label={strings.palette.list}>
          {items.map((item, index) => (
            <li key={item.id} id={`palette-${index}`} role="option" aria-selected={index === active} onClick={() => run(item)}>
              <span>{item.label}</span>
              {item.keys !== undefined ? <Keys keys={item.keys} /> : null}
            </li>
          ))}
        </ul>
        {items.length === 0 && <p class="note">{strings.palette.none}</p>}
      </div>
    </Dialog>
  );
}

function matching(text: string): readonly Item[] {
  const words = text.toLowerCase().split(/\s+/);
  const fits = ({ label }: Item) => words.every((word) => label.toLowerCase().includes(word));
  return [...offered(), ...conversations()].filter(fits).slice(0, MOST_ITEMS);
}

function offered(): readonly Item[] {
  const own = shortcuts.value
    .filter(({ keys, when }) => keys !== 'mod+k' && (when?.() ?? true))
    .map(({ keys, label, run }) => ({ id: `keys ${keys}`, label, keys, run }));
  const themes = THEMES.map((theme) => ({
    id: `theme ${theme}`,
    label: strings.palette.theme(strings.settings.themes[theme]),
    run: () => (preferences.theme.value = theme),
  }));
  const analytics = { id: 'analytics', label: strings.palette.analytics, run: () => navigate({ view: 'analytics' }) };
  return [...own, analytics, ...themes];
}

function conversations(): readonly Item[] {
  return listedSessions.value.map((session) => ({
    id: `session ${session.session_id}`,
    label: titleOf(session),
    run: () => openSession(session.session_id),
  }));
}
