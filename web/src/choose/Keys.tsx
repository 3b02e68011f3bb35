// The keys of a shortcut, as they stand on the keyboard.

import { isApple } from '../keyboard';
import { strings } from '../strings';

const { escape, shift, alt, control } = strings.keys;
const NAMES: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', Escape: escape, shift, alt };

export function Keys({ keys }: { keys: string }) {
  const nameOf = (key: string) => {
    if (key === 'mod') return isApple() ? '⌘' : control;
    return NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  };
  return <span class="keys">{keys.split('+').map((key) => <kbd key={key}>{nameOf(key)}</kbd>)}</span>;
}
