// The dialog that is open, of those that lie over every view: settings, shortcuts, palette. Each is
// loaded when it is first asked for. There are none yet.

export function Dialogs() {
  return null;
}
