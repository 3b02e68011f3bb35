// A text with a name, which may be very long: then its beginning is shown, and all of it when that is asked for.

import { useRef, useState } from 'preact/hooks';
import { count } from '../format';
import { strings } from '../strings';

/** Characters that are shown unasked. What is little longer is shown whole. */
const MOST = 10_000;

export function LongText({ label, text }: { label: string; text: string }) {
  const [whole, setWhole] = useState(false);
  const shown = useRef<HTMLPreElement>(null);
  const isCut = !whole && text.length > 1.2 * MOST;
  const showAll = () => {
    setWhole(true);
    shown.current?.focus(); // The button is about to go.
  };
  return (
    <>
      <pre ref={shown} tabIndex={0} role="region" aria-label={label}>{isCut ? `${text.slice(0, MOST)}…` : text}</pre>
      {isCut && (
        <button type="button" class="quiet" onClick={showAll}>{strings.tool.showAll(count(text.length))}</button>
      )}
    </>
  );
}
