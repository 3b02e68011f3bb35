// Draws an answer's markdown while it arrives: what is finished stays in the page untouched, only what comes
// after it is drawn again. The caller decides how often.

import { MarkdownBlocks, renderWhole, type Step } from './markdown/blocks';
import { sanitize, sanitizeCode } from './markdown/sanitize';

export class StreamingMarkdown {
  private blocks = new MarkdownBlocks();
  /** What is drawn of the tail, and will be drawn anew. */
  private tail: ChildNode[] = [];
  /** The list or table that goes on, and the element inside it that has its parts. */
  private open: { nodes: ChildNode[]; room: ParentNode } | undefined;
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
    if (finished.length === 0 && this.growCode(openCode)) return;
    this.removeTail();
    colourLater(finished.flatMap((step) => this.draw(step)));
    const { open } = this;
    this.tail = tail.flatMap((step) => this.draw(step));
    this.open = open;
    this.openCode = openCode === undefined ? undefined : textOfCode(this.tail);
  }

  /** Shows `text`, which is complete. */
  finish(text: string): void {
    this.show(text);
    if (this.blocks.hasDefinitions) {
      this.host.replaceChildren(sanitize(renderWhole(text)));
    }
    this.complete = true;
    colourLater([this.host]);
  }

  private reset(): void {
    this.host.replaceChildren();
    this.blocks = new MarkdownBlocks();
    this.tail = [];
    this.open = undefined;
    this.openCode = undefined;
    this.complete = false;
  }

  /** Draws a step at the end of the page, and answers with what came into it. */
  private draw(step: Step): ChildNode[] {
    if (step.kind === 'parts' && !step.first) {
      // The line break in front of the first part is there.
      const block = sanitize(step.before.trimEnd() + step.html + step.behind);
      return this.open === undefined ? [] : move(roomOf(block), this.open.room);
    }
    if (step.kind === 'void') {
      for (const node of this.open?.nodes ?? []) node.remove();
      this.open = undefined;
      return [];
    }
    const isOpen = step.kind === 'parts';
    const blocks = sanitize(isOpen ? step.before + step.html + step.behind : step.html);
    const room = roomOf(blocks);
    const nodes = move(blocks, this.host);
    this.open = isOpen ? { nodes, room } : undefined;
    return nodes;
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

/** The element that has the items of a list or the rows of a table, which is all that `block` consists of. */
function roomOf(block: DocumentFragment): ParentNode & Node {
  const element = block.firstElementChild;
  return element?.querySelector(':scope > table > tbody') ?? element ?? block;
}

function move(from: Node, to: ParentNode): ChildNode[] {
  const nodes = [...from.childNodes];
  to.append(...nodes);
  return nodes;
}

function textOfCode(nodes: ChildNode[]): Text | undefined {
  const code = nodes.find((node) => node instanceof Element)?.querySelector('code');
  return code?.firstChild instanceof Text ? code.firstChild : undefined;
}

/** Colours the code in `nodes`; the highlighter is loaded when the first code comes. */
function colourLater(nodes: ChildNode[]): void {
  const elements = nodes.filter((node) => node instanceof Element);
  const blocks = elements.flatMap((element) => [
    ...element.querySelectorAll<HTMLElement>('code[data-language]:not([data-language=""], [data-coloured])'),
  ]);
  if (blocks.length > 0) void colour(blocks);
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
