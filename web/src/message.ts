// What is sent of a text that somebody wrote, and whether it can be.

import { count } from './format';
import { strings } from './strings';

/** What is sent of a text: the server trims too, and takes no U+0000 (databases cannot hold it). */
export function toMessage(text: string): string {
  return text.replaceAll('\u0000', '').trim();
}

/** What is wrong with a text, if anything; `limit` in bytes of UTF-8, as the server counts. */
export function complaintOf(text: string, limit: number | undefined): string | undefined {
  if (limit === undefined || text.length * 3 <= limit) return undefined;
  const bytes = new TextEncoder().encode(toMessage(text)).length;
  return bytes > limit ? strings.composer.tooLong(count(bytes), count(limit)) : undefined;
}
