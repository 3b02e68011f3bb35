// An answer of the model as the page shows it: an ordered list of text and tool calls, as they
// came. Live pieces build it up; a snapshot and the stored `ai_response` replace what was built.

import type {
  AiResponse,
  CallId,
  ErrorEvent,
  FinishReason,
  MessageId,
  Part as WirePart,
  Reasoning,
  ResponseFinished,
  ResponseId,
  ResponseSnapshot,
  ResponseStarted,
  Timestamp,
  Token,
  ToolApproved,
  ToolCall,
  ToolError,
  ToolProgress,
  ToolResult,
} from '../protocol';
import type { Entry, Stored } from '../state';

export interface ToolState {
  callId: CallId;
  name: string;
  /** When it was called. */
  at: Timestamp;
  arguments: Record<string, unknown>;
  /** Whether it waits until somebody lets it run. */
  needsApproval: boolean;
  /** `null` while it runs or waits for approval. */
  outcome: { ok: boolean; content?: unknown; error?: ToolError; durationMs: number; at: Timestamp } | null;
  /** What it said last about how far it is, while it runs. */
  progress: string | null;
}

export type Part = { kind: 'text'; text: string } | { kind: 'tool'; tool: ToolState };

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
  /** Where it is stored, and what it says there beyond its text; `null` before it is. */
  stored: (Stored & Pick<AiResponse, 'usage' | 'timing' | 'cost_usd' | 'model'>) | null;
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
  | ({ type: 'tool_approved' } & ToolApproved)
  | ({ type: 'tool_result' } & ToolResult & Stored)
  | ({ type: 'tool_progress' } & ToolProgress)
  | ({ type: 'response_finished' } & ResponseFinished)
  | ({ type: 'ai_response' } & AiResponse & Stored);

/** The entries after an event about an answer. */
export function update(entries: readonly Entry[], event: AnswerEvent): readonly Entry[] {
  const messageId = 'message_id' in event ? event.message_id : null;
  const updated = put(entries, event.response_id, messageId, (answer) => change(answer, event));
  return event.type === 'ai_response' ? forgetLost(updated, event) : updated;
}

/** The entries after an answer was told to have failed, perhaps before its first piece. */
export function fail(entries: readonly Entry[], id: ResponseId, error: ErrorEvent): readonly Entry[] {
  return put(entries, id, error.message_id ?? null, (answer) => ({ ...answer, error }));
}

/** Without what was shown of earlier answers to the same message that were never stored: the server
 *  crashed in the middle of them, and closed the message with an answer of another name. */
function forgetLost(entries: readonly Entry[], stored: AiResponse): readonly Entry[] {
  const place = entries.findIndex((entry) => isAnswer(entry, stored.response_id));
  const isLost = (entry: Entry, index: number) =>
    index < place && entry.kind === 'answer' && entry.messageId === stored.message_id && entry.stored === null;
  return entries.filter((entry, index) => !isLost(entry, index));
}

/** Changes an answer, which is made where it is not known yet, and gives it its place. */
function put(
  entries: readonly Entry[],
  id: ResponseId,
  messageId: MessageId | null,
  alter: (answer: Answer) => Answer,
): readonly Entry[] {
  const found = entries.find((entry) => isAnswer(entry, id));
  const before = found ?? newAnswer(id);
  const after = alter(before);
  if (messageId !== null && before.messageId !== messageId) {
    return place(entries.filter((entry) => entry !== found), { ...after, messageId });
  }
  if (found === undefined) return place(entries, { ...after, messageId: oldestUnanswered(entries) });
  return after === found ? entries : entries.map((entry) => (entry === found ? after : entry));
}

/** The entries after another answer took the place of this one. */
export function supersede(entries: readonly Entry[], id: ResponseId | null): readonly Entry[] {
  if (id === null) return entries;
  return entries.map((entry) => (isAnswer(entry, id) ? { ...entry, superseded: true } : entry));
}

/** All the text of an answer, joined. */
export function textOf(answer: Answer): string {
  return answer.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function isAnswer(entry: Entry, id: ResponseId): entry is Answer {
  return entry.kind === 'answer' && entry.id === id;
}

function newAnswer(id: ResponseId): Answer {
  return {
    kind: 'answer',
    id,
    messageId: null,
    parts: [],
    reasoning: '',
    index: -1,
    finish: null,
    stored: null,
    error: null,
    superseded: false,
  };
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

function appendText(parts: readonly Part[], text: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.kind !== 'text') return [...parts, { kind: 'text', text }];
  return parts.with(-1, { kind: 'text', text: last.text + text });
}

function addCall(parts: readonly Part[], event: ToolCall & Stored): readonly Part[] {
  if (parts.some((part) => isCall(part, event.call_id))) return parts;
  const tool: ToolState = {
    callId: event.call_id,
    name: event.name,
    at: event.at,
    arguments: event.arguments,
    needsApproval: event.needs_approval,
    outcome: null,
    progress: null,
  };
  return [...parts, { kind: 'tool', tool }];
}

/** It waits no more. */
function approveCall(parts: readonly Part[], event: ToolApproved): readonly Part[] {
  return parts.map((part) =>
    isCall(part, event.call_id) ? { kind: 'tool', tool: { ...part.tool, needsApproval: false } } : part,
  );
}

function noteProgress(parts: readonly Part[], event: ToolProgress): readonly Part[] {
  const progress = progressText(event);
  return parts.map((part) =>
    isCall(part, event.call_id) ? { kind: 'tool', tool: { ...part.tool, progress } } : part,
  );
}

/** `reading page 3`, or `3 of 10`. */
function progressText({ done, total, message }: ToolProgress): string {
  return message ?? (total === undefined ? String(done) : `${done} of ${total}`);
}

function finishCall(parts: readonly Part[], event: ToolResult & Stored): readonly Part[] {
  const outcome: ToolState['outcome'] = { ok: event.ok, durationMs: event.duration_ms, at: event.at };
  if ('content' in event) outcome.content = event.content;
  if (event.error !== undefined) outcome.error = event.error;
  return parts.map((part) =>
    isCall(part, event.call_id) ? { kind: 'tool', tool: { ...part.tool, outcome } } : part,
  );
}

function isCall(part: Part, id: CallId): part is Extract<Part, { kind: 'tool' }> {
  return part.kind === 'tool' && part.tool.callId === id;
}

/** The order that the server tells, with the calls that are known; a call it does not name stays. */
function rebuild(known: readonly Part[], order: readonly WirePart[], content: string): readonly Part[] {
  const named = new Set(order.map((part) => ('call_id' in part ? part.call_id : undefined)));
  const unnamed = known.filter((part) => part.kind === 'tool' && !named.has(part.tool.callId));
  const text: readonly WirePart[] = content === '' ? [] : [{ text: content }];
  const ordered = (order.length > 0 ? order : text).flatMap((part): Part[] => {
    if ('text' in part) return part.text === '' ? [] : [{ kind: 'text', text: part.text }];
    return known.filter((candidate) => isCall(candidate, part.call_id));
  });
  return [...ordered, ...unnamed];
}

/** Below the message it answers and that message's earlier answers; last, if that is not known. */
function place(entries: readonly Entry[], answer: Answer): readonly Entry[] {
  const index = entries.findLastIndex(
    (entry) =>
      (entry.kind === 'said' && entry.id === answer.messageId) ||
      (entry.kind === 'answer' && entry.messageId === answer.messageId),
  );
  if (answer.messageId === null || index < 0) return [...entries, answer];
  return entries.toSpliced(index + 1, 0, answer);
}

/** The first stored message without an answer. In a replay, a tool call comes before the `ai_response`
 *  that says which message it belongs to: messages are answered in their order. */
export function oldestUnanswered(entries: readonly Entry[]): MessageId | null {
  const answered = new Set(entries.map((entry) => (entry.kind === 'answer' ? entry.messageId : null)));
  const message = entries.find(
    (entry) => entry.kind === 'said' && entry.delivery === 'stored' && !answered.has(entry.id),
  );
  return message?.kind === 'said' ? message.id : null;
}
