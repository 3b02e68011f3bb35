// What the user can choose for this browser, who is signed in, and how the server is. Loaded when it is first shown.

import { Account } from '../access/Account';
import { preferences, type Theme } from '../preferences';
import { health } from '../status/health';
import { strings } from '../strings';
import { Dialog } from '../ui/Dialog';
import { show } from './open';

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function Settings({ onClose }: { onClose(): void }) {
  return (
    <Dialog title={strings.settings.title} onClose={onClose}>
      <fieldset class="field">
        <legend>{strings.settings.theme}</legend>
        {THEMES.map((theme) => (
          <label key={theme} class="choice">
            <input
              type="radio"
              name="theme"
              checked={preferences.theme.value === theme}
              onChange={() => (preferences.theme.value = theme)}
            />
            {strings.settings.themes[theme]}
          </label>
        ))}
      </fieldset>
      <fieldset class="field">
        <legend>{strings.settings.keyboard}</legend>
        <label class="choice">
          <input
            type="checkbox"
            checked={preferences.shortcuts.value}
            onChange={(event) => (preferences.shortcuts.value = event.currentTarget.checked)}
          />
          {strings.settings.shortcuts}
        </label>
        <button type="button" onClick={() => show({ kind: 'shortcuts' })}>{strings.settings.showShortcuts}</button>
      </fieldset>
      <Account />
      <Server />
    </Dialog>
  );
}

function Server() {
  const now = health.value;
  return (
    <section class="field">
      <h3>{strings.settings.server}</h3>
      {now === null ? (
        <p class="note">{strings.settings.unreachable}</p>
      ) : (
        <dl class="server-facts">
          <dt>{strings.settings.version}</dt>
          <dd>{now.version}</dd>
          <dt>{strings.settings.model}</dt>
          <dd>{now.model.provider} / {now.model.model}</dd>
          <dt>{strings.settings.store}</dt>
          <dd>{now.store.kind}, {strings.settings.storeState[now.store.status]}</dd>
        </dl>
      )}
    </section>
  );
}
