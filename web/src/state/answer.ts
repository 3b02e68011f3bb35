// An answer of the model as the page shows it. Live pieces build it up; a snapshot and the stored
// `ai_response` replace what was built.

import type {
  AiResponse,
  ErrorEvent,
  FinishReason,
  MessageId,
  Reasoning,
  ResponseFinished,
  ResponseId,
  ResponseSnapshot,
  ResponseStarted,
  Token,
  ToolApproved,
  ToolCall,
  ToolProgress,
  ToolResult,
} from '../protocol';
import type { Entry, Stored } from '../state';
import { insert } from './order';
import { addCall, appendText, approveCall, finishCall, joinParts, noteProgress, type Part, rebuild } from './parts';

export interface Answer {
  kind: 'answer';
  id: ResponseId;
  /** The message it answers; `null` until an event says so. */
  messageId: MessageId | null;
  parts: readonly Part[];
  /** The model's visible thinking; empty where it shows none. */
  reasoning: string;
  /** Index of the last token in `parts`; -1 if there is none. */
  index: number;
  /** How it ended; `null` while it is being written. */
  finish: FinishReason | null;
  /** `seq` of the first stored event that is known of it; `null` before there is one. */
  begun: number | null;
  /** Its stored event; `null` before there is one. */
  stored: (Stored & AiResponse) | null;
  error: ErrorEvent | null;
  /** Another answer has taken its place. */
  superseded: boolean;
}

/** Everything that is told about one answer. */
export type AnswerEvent =
  | ({ type: 'response_started' } & ResponseStarted)
  | ({ type: 'response_snapshot' } & ResponseSnapshot)
  | ({ type: 'token' } & Token)
  | ({ type: 'reasoning' } & Reasoning)
  | ({ type: 'tool_call' } & ToolCall & Stored)
  | ({ type: 'tool_approved' } & ToolApproved & Stored)
  | ({ type: 'tool_result' } & ToolResult & Stored)
  | ({ type: 'tool_progress' } & ToolProgress)
  | ({ type: 'response_finished' } & ResponseFinished)
  | ({ type: 'ai_response' } & AiResponse & Stored);

/** The entries after an event about an answer. */
export function update(entries: readonly Entry[], event: AnswerEvent): readonly Entry[] {
  const messageId = 'message_id' in event ? event.message_id : null;
  const kept = event.type === 'ai_response' ? forgetLost(entries, event) : entries;
  return put(kept, event.response_id, messageId, (answer) => change(begin(answer, event), event));
}

/** The entries after an answer was told to have failed, perhaps before its first piece. */
export function fail(entries: readonly Entry[], id: ResponseId, error: ErrorEvent): readonly Entry[] {
  return put(entries, id, error.message_id ?? null, (answer) => ({ ...answer, error }));
}

/** Without what was shown of earlier answers to the same message of which nothing was stored: the server
 *  crashed in the middle of them, and closed the message with an answer of another name. */
function forgetLost(entries: readonly Entry[], stored: AiResponse): readonly Entry[] {
  const place = entries.findLastIndex((entry) => isAnswer(entry, stored.response_id));
  const isLost = (entry: Entry, index: number) =>
    (place < 0 || index < place) &&
    entry.kind === 'answer' &&
    entry.messageId === stored.message_id &&
    entry.begun === null;
  return entries.some(isLost) ? entries.filter((entry, index) => !isLost(entry, index)) : entries;
}

/** Changes an answer, which is made where it is not known yet, and gives it its place. */
function put(
  entries: readonly Entry[],
  id: ResponseId,
  messageId: MessageId | null,
  alter: (answer: Answer) => Answer,
): readonly Entry[] {
  // The one that is written stands near the end: what happens for each token does not grow with what is above.
  const index = entries.findLastIndex((entry) => isAnswer(entry, id));
  const found = entries[index];
  const before = found?.kind === 'answer' ? found : newAnswer(id, messageId);
  const altered = alter(before);
  const after = messageId === null || messageId === altered.messageId ? altered : { ...altered, messageId };
  if (found === undefined) return insert(entries, after);
  if (after === found) return entries;
  const staysThere = after.messageId === before.messageId && after.stored === before.stored;
  return staysThere ? entries.with(index, after) : insert(entries.toSpliced(index, 1), after);
}

/** An answer of which a log tells in two parts. */
export function join(earlier: Answer, later: Answer): Answer {
  const parts = joinParts(earlier.parts, later.parts);
  const stored = later.stored ?? earlier.stored;
  return {
    ...later,
    messageId: later.messageId ?? earlier.messageId,
    parts: stored === null ? parts : rebuild(parts, stored.parts ?? [], stored.content),
    finish: later.finish ?? earlier.finish,
    begun: earlier.begun ?? later.begun,
    stored,
    superseded: earlier.superseded || later.superseded,
  };
}

/** All the text of an answer, joined. */
export function textOf(answer: Answer): string {
  return answer.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function isAnswer(entry: Entry, id: ResponseId): entry is Answer {
  return entry.kind === 'answer' && entry.id === id;
}

function newAnswer(id: ResponseId, messageId: MessageId | null): Answer {
  return {
    kind: 'answer',
    id,
    messageId,
    parts: [],
    reasoning: '',
    index: -1,
    finish: null,
    begun: null,
    stored: null,
    error: null,
    superseded: false,
  };
}

/** The log begins to tell of it. */
function begin(answer: Answer, event: AnswerEvent): Answer {
  return answer.begun === null && 'seq' in event ? { ...answer, begun: event.seq } : answer;
}

function change(answer: Answer, event: AnswerEvent): Answer {
  switch (event.type) {
    case 'response_started':
      return answer;
    case 'token':
      if (event.index <= answer.index) return answer; // The snapshot held it.
      return { ...answer, index: event.index, parts: appendText(answer.parts, event.content) };
    case 'reasoning':
      return { ...answer, reasoning: answer.reasoning + event.content };
    case 'response_snapshot':
      return {
        ...answer,
        index: event.index,
        parts: rebuild(answer.parts, event.parts, event.content),
        // Where text is taken back or there is none, another model may begin afresh, thinking included.
        reasoning: event.index < answer.index || event.index < 0 ? '' : answer.reasoning,
      };
    case 'tool_call':
      return { ...answer, parts: addCall(answer.parts, event) };
    case 'tool_approved':
      return { ...answer, parts: approveCall(answer.parts, event) };
    case 'tool_result':
      return { ...answer, parts: finishCall(answer.parts, event) };
    case 'tool_progress':
      return { ...answer, parts: noteProgress(answer.parts, event) };
    case 'response_finished':
      return { ...answer, finish: event.finish_reason };
    case 'ai_response':
      return {
        ...answer,
        parts: rebuild(answer.parts, event.parts ?? [], event.content),
        finish: event.finish_reason,
        stored: event,
        superseded: answer.superseded || event.superseded === true,
      };
  }
}

/** The first stored message without an answer. */
export function oldestUnanswered(entries: readonly Entry[]): MessageId | null {
  const answered = new Set(entries.map((entry) => (entry.kind === 'answer' ? entry.messageId : null)));
  const message = entries.find(
    (entry) => entry.kind === 'said' && entry.delivery === 'stored' && !answered.has(entry.id),
  );
  return message?.kind === 'said' ? message.id : null;
}
