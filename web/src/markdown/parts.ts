// Lists and tables in parts: a list may be as long as a whole answer, and its items are finished one by one.
//
// Promise: an item or a row that another one follows stays as it is, unless the list turns out to be loose
// (a blank line between two items puts the text of every item into a paragraph): `resume` notices that.

import type { Token, Tokens } from 'marked';

/** A block that has parts: items or rows. */
type Divisible = Tokens.List | Tokens.Table;

/** A list or a table of which some parts are finished. */
export interface OpenBlock {
  /** Where it starts in the source. */
  start: number;
  type: Divisible['type'];
  /** What must stand in front of its other parts for them to be read as they are in the whole. */
  lead: string;
  /** How many parts the lead is read as. */
  leadParts: number;
}

/** HTML of parts, and what stands around all parts of the block. */
export interface Parts {
  before: string;
  html: string;
  behind: string;
}

/** A list, or a table in whatever it stands in. What the answer itself says of a `<tbody>` is escaped. */
const AROUND = /^(<[ou]l[^>]*>\n|.*?<tbody>)(.*)(<\/[ou]l>\n|<\/tbody>.*)$/s;

/** The parts of `token` that are finished, as a token; `undefined` where there are none. */
export function finishedParts(token: Token | undefined): Divisible | undefined {
  if (token === undefined) return undefined;
  if (isList(token) && token.items.length > 1) {
    const items = token.items.slice(0, -1);
    return { ...token, items, raw: items.map(({ raw }) => raw).join('') };
  }
  if (isTable(token) && token.rows.length > 1) {
    const raw = token.raw.slice(0, token.raw.trimEnd().lastIndexOf('\n') + 1); // A row is a line.
    return { ...token, rows: token.rows.slice(0, -1), raw };
  }
  return undefined;
}

/** The block that begins with these parts, at `start`. */
export function openBlock(token: Divisible, start: number): OpenBlock {
  if (isTable(token)) {
    return { start, type: 'table', lead: token.raw.split('\n', 2).join('\n') + '\n', leadParts: 0 };
  }
  if (!token.loose) return { start, type: 'list', lead: '', leadParts: 0 };
  // Indented as far as can be, so that no other item counts as one inside it.
  const marker = /[*+-]|\d+[.)]/.exec(token.raw)?.[0] ?? '-';
  return { start, type: 'list', lead: `   ${marker} x\n\n`, leadParts: 1 };
}

/** The other parts of `block`, when `token` was read behind its lead; `undefined` where the finished
 *  parts would be others by now. */
export function resume(block: OpenBlock, token: Token | undefined): Divisible | undefined {
  if (token?.type !== block.type) return undefined;
  const raw = token.raw.slice(block.lead.length);
  if (isTable(token)) return { ...token, raw };
  if (!isList(token) || token.loose !== block.leadParts > 0) return undefined;
  return { ...token, raw, items: token.items.slice(block.leadParts) };
}

/** Cuts the HTML of a list or a table apart. */
export function partsOf(html: string): Parts {
  const [, before = '', parts = '', behind = ''] = AROUND.exec(html) ?? [];
  return { before, html: parts, behind };
}

function isList(token: Token): token is Tokens.List {
  return token.type === 'list';
}

function isTable(token: Token): token is Tokens.Table {
  return token.type === 'table';
}
