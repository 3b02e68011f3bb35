// The box for what is searched for. Esc empties it, and does nothing else.

import { useEffect, useRef } from 'preact/hooks';
import { focusWish } from '../sidebar/rows';
import { strings } from '../strings';
import { Icon } from '../ui/icons';
import { query, searchFor, searchWish } from './search';

export function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
  const wished = searchWish.value || focusWish.value === '';
  useEffect(() => {
    if (!wished) return;
    input.current?.focus();
    searchWish.value = false;
    if (focusWish.peek() === '') focusWish.value = null;
  }, [wished]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || query.peek() === '') return;
    event.preventDefault();
    event.stopPropagation(); // It would stop the answer, or close the drawer.
    searchFor('');
  };
  return (
    <search class="search-box" aria-label={strings.search.region}>
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        aria-label={strings.search.label}
        placeholder={strings.search.placeholder}
        autoComplete="off"
        value={query.value}
        onInput={(event) => searchFor(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
    </search>
  );
}
