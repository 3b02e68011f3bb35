// Cuts markdown that is still arriving into what is finished (blocks, items of the last list, rows of the last
// table) and a tail that may change.
//
// Promise: however the text is cut into pieces, the HTML of what is finished and the last tail, joined, is the
// HTML of the whole text (but for link definitions, see `hasDefinitions`). So what is finished is drawn
// once, and a long answer costs no more per piece than a short one.

import { Marked, Renderer, type Token, type Tokens } from 'marked';
import { strings } from '../strings';
import { finishedParts, openBlock, type OpenBlock, type Parts, partsOf, resume } from './parts';

const parser = new Marked({
  gfm: true,
  renderer: {
    // A model's raw HTML is shown, never parsed.
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escape(text),
    // A remote image is a way to track the reader and to carry data out: its text will do.
    image: ({ text, href }: Tokens.Image) => `<span class="image">${escape(text || href)}</span>`,
    // A wide one scrolls by itself, also for whoever has only keys.
    table(token: Tokens.Table) {
      const table = Renderer.prototype.table.call(this, token);
      return `<div class="scrolling" tabindex="0" role="region" aria-label="${strings.table}">${table}</div>`;
    },
    code: ({ text, lang }: Tokens.Code) => renderCode(text, (lang ?? '').split(/\s/, 1)[0] ?? ''),
  },
});

/** HTML of a whole text. Not safe yet: it must pass `sanitize`. */
export function renderWhole(source: string): string {
  return parser.parser(parser.lexer(source));
}

/** A step of drawing what came. */
export type Step =
  /** Whole blocks. */
  | { kind: 'blocks'; html: string }
  /** Parts of a list or a table: the first ones, or more of those of the step before. */
  | ({ kind: 'parts'; first: boolean } & Parts)
  /** The list or table that was begun last is void, whole: it comes again. */
  | { kind: 'void' };

/** What a piece of text changed. */
interface Progress {
  /** What is finished since the last time. */
  finished: Step[];
  /** What comes after that, for now. */
  tail: Step[];
  /** The text of the code block that is all of the tail, if it is one: it can only grow. */
  openCode: string | undefined;
}

export class MarkdownBlocks {
  private given = '';
  /** The same with plain line breaks, which is what the parser counts in. */
  private source = '';
  /** Up to here everything is finished. */
  private frozen = 0;
  /** Up to here, always behind a line break, it was looked for what is finished. */
  private searched = 0;
  /** What `frozen` stands in the middle of, if it does. */
  private open: OpenBlock | null = null;
  private definitions = false;

  /** Whether there were link definitions: they also concern blocks that were finished before. */
  get hasDefinitions(): boolean {
    return this.definitions;
  }

  /** All the text so far. */
  get text(): string {
    return this.given;
  }

  append(piece: string): Progress {
    const isHalved = this.given.endsWith('\r') && piece.startsWith('\n');
    this.given += piece;
    this.source += piece.slice(isHalved ? 1 : 0).replace(/\r\n?/g, '\n');
    const finished: Step[] = [];
    this.freeze(finished);
    const tokens = this.lex(this.source.length, finished);
    return { finished, tail: this.draw(tokens), openCode: onlyCode(tokens) };
  }

  /** Only whole lines decide what is finished: half a line can look like something else. The last
   *  block of them is never finished, since the next line may belong to it, nor is its last part. */
  private freeze(finished: Step[]): void {
    const end = this.source.lastIndexOf('\n') + 1;
    if (end <= this.searched) return;
    this.searched = end;
    const tokens = this.lex(end, finished);
    const last = tokens.findLastIndex((token) => token.type !== 'space');
    if (last > 0) {
      const whole = tokens.slice(0, last);
      finished.push(...this.draw(whole));
      this.frozen += whole.reduce((length, token) => length + token.raw.length, 0);
      this.open = null;
    }
    const parts = finishedParts(tokens[last]);
    if (parts === undefined) return;
    finished.push(this.drawParts(parts, this.open === null));
    this.open ??= openBlock(parts, this.frozen);
    this.frozen += parts.raw.length;
  }

  /** The blocks from the end of what is finished up to `end`. Takes back what is not finished after all. */
  private lex(end: number, finished: Step[]): Token[] {
    const { open } = this;
    const tokens = parser.lexer((open?.lead ?? '') + this.source.slice(this.frozen, end));
    this.definitions ||= Object.keys(tokens.links).length > 0;
    if (open === null) return tokens;
    const rest = resume(open, tokens[0]);
    if (rest !== undefined) return tokens.with(0, rest);
    finished.push({ kind: 'void' });
    this.frozen = open.start;
    this.open = null;
    return this.lex(end, finished);
  }

  private draw(tokens: Token[]): Step[] {
    const [first, ...others] = tokens;
    if (this.open === null || first === undefined) return drawBlocks(tokens);
    return [this.drawParts(first, false), ...drawBlocks(others)];
  }

  private drawParts(token: Token, first: boolean): Step {
    return { kind: 'parts', first, ...partsOf(parser.parser([token])) };
  }
}

function drawBlocks(tokens: Token[]): Step[] {
  return tokens.length === 0 ? [] : [{ kind: 'blocks', html: parser.parser(tokens) }];
}

function onlyCode(tokens: Token[]): string | undefined {
  const [first, ...others] = tokens;
  // Before its first line break, the name of the language may still be growing.
  if (first?.type !== 'code' || others.length > 0 || !first.raw.includes('\n')) return undefined;
  return (first as Tokens.Code).text;
}

function renderCode(text: string, language: string): string {
  const name = escape(language);
  const label = name === '' ? strings.code.plainRegion : strings.code.region(name);
  return (
    `<figure class="code"><figcaption><span>${name || strings.code.plain}</span>` +
    `<button type="button" data-copy>${strings.copy}</button></figcaption>` +
    `<pre tabindex="0" role="region" aria-label="${label}">` +
    `<code data-language="${name}">${escape(text)}\n</code></pre></figure>`
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
