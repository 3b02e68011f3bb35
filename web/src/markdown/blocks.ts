// Cuts markdown that is still arriving into blocks that are finished and a tail that may change.
//
// Promise: however the text is cut into pieces, the HTML of the finished blocks and the last tail,
// joined, is the HTML of the whole text (but for link definitions, see `hasDefinitions`). So each
// finished block is drawn once, and a long answer costs no more per piece than a short one.

import { Marked, Renderer, type Token, type Tokens } from 'marked';
import { strings } from '../strings';

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

/** What a piece of text changed. */
export interface Progress {
  /** HTML of the blocks that are finished since the last time. */
  finished: string;
  /** HTML of what comes after them, for now. */
  tail: string;
  /** The text of the code block that is all of the tail, if it is one: it can only grow. */
  openCode: string | undefined;
}

export class MarkdownBlocks {
  private source = '';
  /** Up to here everything is finished. */
  private frozen = 0;
  /** Up to here, always behind a line break, it was looked for finished blocks. */
  private searched = 0;
  private definitions = false;

  /** Whether there were link definitions: they also concern blocks that were finished before. */
  get hasDefinitions(): boolean {
    return this.definitions;
  }

  /** All the text so far. */
  get text(): string {
    return this.source;
  }

  append(piece: string): Progress {
    this.source += piece;
    const finished = this.freeze();
    const tokens = this.lex(this.source.length);
    return { finished, tail: parser.parser(tokens), openCode: onlyCode(tokens) };
  }

  /** Only whole lines decide what is finished: half a line can look like something else. The last
   *  block of them is never finished, since the next line may belong to it. */
  private freeze(): string {
    const end = this.source.lastIndexOf('\n') + 1;
    if (end <= this.searched) return '';
    this.searched = end;
    const tokens = this.lex(end);
    const last = tokens.findLastIndex((token) => token.type !== 'space');
    if (last <= 0) return '';
    const finished = tokens.slice(0, last);
    this.frozen += finished.reduce((length, token) => length + token.raw.length, 0);
    return parser.parser(finished);
  }

  /** The blocks from the end of the finished ones up to `end`. */
  private lex(end: number): Token[] {
    const tokens = parser.lexer(this.source.slice(this.frozen, end));
    this.definitions ||= Object.keys(tokens.links).length > 0;
    return tokens;
  }
}

function onlyCode(tokens: Token[]): string | undefined {
  const [first, ...others] = tokens;
  // Before its first line break, the name of the language may still be growing.
  if (first?.type !== 'code' || others.length > 0 || !first.raw.includes('\n')) return undefined;
  return (first as Tokens.Code).text;
}

function renderCode(text: string, language: string): string {
  const name = escape(language);
  return (
    `<figure class="code"><figcaption><span>${name || 'text'}</span>` +
    `<button type="button" data-copy>${strings.copy}</button></figcaption>` +
    `<pre tabindex="0" role="region" aria-label="${name || 'plain'} code">` +
    `<code data-language="${name}">${escape(text)}\n</code></pre></figure>`
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
