// A piece of an answer's text, drawn as markdown while it grows; as plain text until the code for that is there.

import { useLayoutEffect, useRef } from 'preact/hooks';
import { Pace } from '../frame';
import type { StreamingMarkdown } from '../markdown';
import { drawing, loadDrawing } from '../markdown/later';
import { strings } from '../strings';

/** How long a button says that it worked, in milliseconds. */
const COPIED_FOR_MS = 1_500;

export function Prose({ text, growing }: { text: string; growing: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const markdown = useRef<StreamingMarkdown | null>(null);
  const pace = useRef<Pace>(null);
  const Drawing = drawing.value;
  useLayoutEffect(() => {
    if (host.current === null) return;
    if (Drawing === null) {
      host.current.textContent = text;
      loadDrawing();
      return;
    }
    if (markdown.current === null) {
      host.current.replaceChildren();
      markdown.current = new Drawing(host.current);
    }
    const drawn = markdown.current;
    pace.current ??= new Pace();
    if (growing) pace.current.run(() => drawn.show(text));
    else pace.current.runNow(() => drawn.finish(text));
  }, [text, growing, Drawing]);
  return <div ref={host} class={growing ? 'prose growing' : 'prose'} onClick={copyCode} />;
}

/** The copy buttons inside code blocks come from the markdown, so their clicks are caught here. */
async function copyCode(event: MouseEvent): Promise<void> {
  const button = (event.target as Element).closest('[data-copy]');
  const code = button?.closest('figure')?.querySelector('code')?.textContent;
  if (!button || code == null || navigator.clipboard === undefined) return;
  await navigator.clipboard.writeText(code);
  button.textContent = strings.copied;
  setTimeout(() => (button.textContent = strings.copy), COPIED_FOR_MS);
}
