// The inspector's head: its name, stopping the timeline and letting it run, copying, the filters.

import { useState } from 'preact/hooks';
import { strings } from '../strings';
import { Icon } from '../ui/icons';
import { hidden, KINDS, toggleKind } from './filters';
import type { Row } from './record';
import { toJsonLines } from './timeline';

/** How long the button says that it worked, in milliseconds. */
const SAID_FOR_MS = 1_500;

interface ToolsProps {
  /** What is copied. */
  rows: readonly Row[];
  live: boolean;
  onLive(live: boolean): void;
}

export function Tools({ rows, live, onLive }: ToolsProps) {
  const words = strings.inspector;
  return (
    <header class="tools">
      <div class="head">
        <h2>{words.region}</h2>
        <button type="button" class="quiet" onClick={() => onLive(!live)}>
          <Icon name={live ? 'pause' : 'play'} />
          {live ? words.pause : words.resume}
        </button>
        <CopyLines rows={rows} />
      </div>
      <div class="kinds" role="group" aria-label={words.filters}>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            class="kind"
            data-kind={kind}
            aria-pressed={!hidden.value.has(kind)}
            onClick={() => toggleKind(kind)}
          >
            {words.kinds[kind]}
          </button>
        ))}
      </div>
    </header>
  );
}

/** Makes the text only when it is asked for: it is long, and another one with every event. Absent
 *  where the browser lets no page copy. */
function CopyLines({ rows }: { rows: readonly Row[] }) {
  const [copied, setCopied] = useState(false);
  if (navigator.clipboard === undefined) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(toJsonLines(rows));
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_FOR_MS);
  };
  return (
    <button type="button" class="quiet" disabled={rows.length === 0} onClick={() => void copy()}>
      <Icon name="copy" />
      {copied ? strings.copied : strings.inspector.copy}
    </button>
  );
}
