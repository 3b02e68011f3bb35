// Draws an answer's markdown while it arrives: finished blocks stay in the page untouched, only the
// last one is drawn again. The caller decides how often; the session does it once per frame.

import { MarkdownBlocks, renderWhole } from './markdown/blocks';
import { sanitize, sanitizeCode } from './markdown/sanitize';

export class StreamingMarkdown {
  private blocks = new MarkdownBlocks();
  /** What is drawn of the tail, and will be drawn anew. */
  private tail: ChildNode[] = [];
  /** The text inside an open code block: it grows in place. */
  private openCode: Text | undefined;
  private complete = false;

  constructor(private readonly host: HTMLElement) {}

  /** Shows `text`. What continues the text shown before is appended; anything else replaces it. */
  show(text: string): void {
    if (text === this.blocks.text) return;
    if (this.complete || !text.startsWith(this.blocks.text)) this.reset();
    const piece = text.slice(this.blocks.text.length);
    const { finished, tail, openCode } = this.blocks.append(piece);
    if (finished === '' && this.growCode(openCode)) return;
    this.removeTail();
    if (finished !== '') this.host.append(colourLater(sanitize(finished)));
    const elements = sanitize(tail);
    this.tail = [...elements.childNodes];
    this.openCode = openCode === undefined ? undefined : textOfCode(elements);
    this.host.append(elements);
  }

  /** Shows `text`, which is complete. */
  finish(text: string): void {
    this.show(text);
    if (this.blocks.hasDefinitions) {
      this.host.replaceChildren(sanitize(renderWhole(text)));
    }
    this.complete = true;
    colourLater(this.host);
  }

  private reset(): void {
    this.host.replaceChildren();
    this.blocks = new MarkdownBlocks();
    this.tail = [];
    this.openCode = undefined;
    this.complete = false;
  }

  private growCode(code: string | undefined): boolean {
    const shown = this.openCode?.data.replace(/\n$/, '');
    if (code === undefined || shown === undefined || !code.startsWith(shown)) return false;
    this.openCode?.replaceData(shown.length, 1, `${code.slice(shown.length)}\n`);
    return true;
  }

  private removeTail(): void {
    for (const node of this.tail) node.remove();
    this.tail = [];
    this.openCode = undefined;
  }
}

function textOfCode(elements: DocumentFragment): Text | undefined {
  const text = elements.querySelector('code')?.firstChild;
  return text instanceof Text ? text : undefined;
}

/** Colours the code in `root`; the highlighter is loaded when the first code comes. */
function colourLater<Root extends ParentNode>(root: Root): Root {
  const blocks = [...root.querySelectorAll<HTMLElement>('code[data-language]:not([data-coloured])')];
  const known = blocks.filter((block) => block.dataset.language !== '');
  if (known.length > 0) void colour(known);
  return root;
}

async function colour(blocks: HTMLElement[]): Promise<void> {
  const highlighter = await import('./highlight').catch(() => undefined);
  if (highlighter === undefined) return; // Without the network code is shown without colours.
  for (const block of blocks) {
    const html = highlighter.highlight(block.textContent ?? '', block.dataset.language ?? '');
    block.dataset.coloured = '';
    if (html !== '') block.replaceChildren(sanitizeCode(html));
  }
}
