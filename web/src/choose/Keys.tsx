// The keys of a shortcut, as they stand on the keyboard.

import { isApple } from '../keyboard';

const NAMES: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', shift: 'Shift', alt: 'Alt' };

export function Keys({ keys }: { keys: string }) {
  const nameOf = (key: string) => {
    if (key === 'mod') return isApple() ? '⌘' : 'Ctrl';
    return NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  };
  return <span class="keys">{keys.split('+').map((key) => <kbd key={key}>{nameOf(key)}</kbd>)}</span>;
}
