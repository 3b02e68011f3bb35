// Copies a text. Absent where the browser lets no page copy, which is everywhere but on https and
// localhost.

import { useState } from 'preact/hooks';
import { strings } from '../strings';

/** How long the button says that it worked, in milliseconds. */
const SAID_FOR_MS = 1_500;

export function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  if (navigator.clipboard === undefined) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_FOR_MS);
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      {copied ? strings.copied : strings.copy}
    </button>
  );
}
