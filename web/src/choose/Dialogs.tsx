// The dialog that is open, of those that lie over every view: settings, shortcuts, palette, what can
// be done with a session. Each is loaded when it is first asked for.

import { useEffect } from 'preact/hooks';
import { register } from '../keyboard';
import { lazily } from '../ui/lazy';
import { commands } from './commands';
import { close, openDialog } from './open';

const Settings = lazily(async () => (await import('./Settings')).Settings);
const ShortcutSheet = lazily(async () => (await import('./ShortcutSheet')).ShortcutSheet);
const Palette = lazily(async () => (await import('./Palette')).Palette);
const SessionMenu = lazily(async () => (await import('../sidebar/SessionMenu')).SessionMenu);

export function Dialogs() {
  useEffect(() => register(...commands), []);
  const open = openDialog.value;
  const onClose = () => close();
  switch (open?.kind) {
    case 'settings':
      return <Settings onClose={onClose} />;
    case 'shortcuts':
      return <ShortcutSheet onClose={onClose} />;
    case 'palette':
      return <Palette onClose={onClose} />;
    case 'session':
      return <SessionMenu key={open.id} id={open.id} onClose={onClose} />;
    default:
      return null;
  }
}
