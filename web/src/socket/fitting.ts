// Whether a message may go to the server at all: one over its limits would end the connection for good, and each
// one after it.

import { count } from '../format';
import { complaintOf } from '../message';
import type { OutgoingMessage } from '../outbox';
import type { ErrorEvent, Limits, UserInput } from '../protocol';
import { strings } from '../strings';

/** The frame in which a message is sent. */
export function frameOf(message: OutgoingMessage): { type: 'user_message' } & UserInput {
  return { type: 'user_message', ...message };
}

/** Why the server would not take a message, if it would not: what the page says in its place. */
export function refusalOf(message: OutgoingMessage, limits: Limits): ErrorEvent | undefined {
  const why = complaintOf(message.content, limits.max_content_bytes) ?? tooLongFrame(message, limits.max_frame_bytes);
  if (why === undefined) return undefined;
  return { code: 'invalid_field', message: why, retryable: false, message_id: message.id, details: { field: 'content' } };
}

function tooLongFrame(message: OutgoingMessage, limit: number): string | undefined {
  const bytes = new TextEncoder().encode(JSON.stringify(frameOf(message))).length;
  return bytes > limit ? strings.composer.tooLong(count(bytes), count(limit)) : undefined;
}
