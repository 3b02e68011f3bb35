// A piece of an answer's text, drawn as markdown while it grows.

import { useLayoutEffect, useRef } from 'preact/hooks';
import { StreamingMarkdown } from '../markdown';
import { strings } from '../strings';

export function Prose({ text, growing }: { text: string; growing: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const markdown = useRef<StreamingMarkdown | null>(null);
  useLayoutEffect(() => {
    if (host.current === null) return;
    markdown.current ??= new StreamingMarkdown(host.current);
    if (growing) markdown.current.show(text);
    else markdown.current.finish(text);
  }, [text, growing]);
  return <div ref={host} class={growing ? 'prose growing' : 'prose'} onClick={copyCode} />;
}

/** The copy buttons inside code blocks come from the markdown, so their clicks are caught here. */
async function copyCode(event: MouseEvent): Promise<void> {
  const button = (event.target as Element).closest('[data-copy]');
  const code = button?.closest('figure')?.querySelector('code')?.textContent;
  if (!button || code == null || navigator.clipboard === undefined) return;
  await navigator.clipboard.writeText(code);
  button.textContent = strings.copied;
}
