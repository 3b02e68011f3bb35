// The pieces of an answer in their order: text and tool calls. A part of a log may tell of a call that stands
// further up, where nobody has read yet: its place is kept, and what was told of it.

import type { CallId, Part as WirePart, Timestamp, ToolApproved, ToolCall, ToolError, ToolProgress, ToolResult } from '../protocol';
import type { Stored } from '../state';

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

/** A call that was not read yet, and what is known of it all the same. */
export type UnreadCall = Pick<ToolState, 'callId' | 'outcome' | 'progress'> & { approved: boolean };

export type Part = { kind: 'text'; text: string } | { kind: 'tool'; tool: ToolState } | { kind: 'unread'; call: UnreadCall };
type CallPart = Exclude<Part, { kind: 'text' }>;

export function appendText(parts: readonly Part[], text: string): readonly Part[] {
  const last = parts.at(-1);
  if (last?.kind !== 'text') return [...parts, { kind: 'text', text }];
  return parts.with(-1, { kind: 'text', text: last.text + text });
}

export function addCall(parts: readonly Part[], event: ToolCall & Stored): readonly Part[] {
  const tool: ToolState = {
    callId: event.call_id,
    name: event.name,
    at: event.at,
    arguments: event.arguments,
    needsApproval: event.needs_approval,
    outcome: null,
    progress: null,
  };
  return changeCall(parts, event.call_id, (part) => 
    part.kind === 'tool' ? part : withLater({ kind: 'tool', tool }, part.call),
  );
}

/** It waits no more. */
export function approveCall(parts: readonly Part[], event: ToolApproved): readonly Part[] {
  return changeCall(parts, event.call_id, (part) =>
    part.kind === 'tool'
      ? { kind: 'tool', tool: { ...part.tool, needsApproval: false } }
      : { kind: 'unread', call: { ...part.call, approved: true } },
  );
}

export function noteProgress(parts: readonly Part[], event: ToolProgress): readonly Part[] {
  return amend(parts, event.call_id, { progress: progressText(event) });
}

export function finishCall(parts: readonly Part[], event: ToolResult & Stored): readonly Part[] {
  const outcome: ToolState['outcome'] = { ok: event.ok, durationMs: event.duration_ms, at: event.at };
  if ('content' in event) outcome.content = event.content;
  if (event.error !== undefined) outcome.error = event.error;
  return amend(parts, event.call_id, { outcome });
}

/** The order that the server tells, with what is known of the calls; a call it does not name stays. */
export function rebuild(known: readonly Part[], order: readonly WirePart[], content: string): readonly Part[] {
  const calls = callsOf(known);
  const text: readonly WirePart[] = content === '' ? [] : [{ text: content }];
  const ordered = (order.length > 0 ? order : text).flatMap((part): Part[] => {
    if ('text' in part) return part.text === '' ? [] : [{ kind: 'text', text: part.text }];
    const call = calls.get(part.call_id) ?? unread(part.call_id);
    calls.delete(part.call_id);
    return [call];
  });
  return [...ordered, ...calls.values()];
}

/** The parts of one answer, of which a log tells in two parts: no call is lost, and none comes twice. */
export function joinParts(earlier: readonly Part[], later: readonly Part[]): readonly Part[] {
  const [before, after] = [callsOf(earlier), callsOf(later)];
  // Who told the text told the place of every call in it. Else they stand as they were made.
  const isPlaced = later.some((part) => part.kind === 'text');
  const order = isPlaced ? [...absentFrom(after, earlier), ...later] : [...earlier, ...absentFrom(before, later)];
  return order.map((part) => {
    if (!isCall(part)) return part;
    const [first, news] = [before.get(idOf(part)), after.get(idOf(part))];
    return first !== undefined && news?.kind === 'unread' ? withLater(first, news.call) : (news ?? part);
  });
}

function callsOf(parts: readonly Part[]): Map<CallId, CallPart> {
  return new Map(parts.filter(isCall).map((part) => [idOf(part), part]));
}

function absentFrom(calls: ReadonlyMap<CallId, CallPart>, parts: readonly Part[]): readonly Part[] {
  return parts.filter((part) => !isCall(part) || !calls.has(idOf(part)));
}

/** A call with what is told of it further down. */
function withLater(part: CallPart, { approved, ...later }: UnreadCall): CallPart {
  const known = part.kind === 'tool' ? part.tool : part.call;
  const news = { outcome: later.outcome ?? known.outcome, progress: later.progress ?? known.progress };
  if (part.kind === 'unread') return { kind: 'unread', call: { ...part.call, ...news, approved: approved || part.call.approved } };
  return { kind: 'tool', tool: { ...part.tool, ...news, needsApproval: part.tool.needsApproval && !approved } };
}

function unread(callId: CallId): Part & { kind: 'unread' } {
  return { kind: 'unread', call: { callId, approved: false, outcome: null, progress: null } };
}

function amend(
  parts: readonly Part[],
  id: CallId,
  news: Partial<Pick<ToolState, 'outcome' | 'progress'>>,
): readonly Part[] {
  return changeCall(parts, id, (part) =>
    part.kind === 'tool'
      ? { kind: 'tool', tool: { ...part.tool, ...news } }
      : { kind: 'unread', call: { ...part.call, ...news } },
  );
}

/** A call that nothing was told of yet is changed as an unread one, behind the others. */
function changeCall(parts: readonly Part[], id: CallId, change: (part: CallPart) => CallPart): readonly Part[] {
  const index = parts.findIndex((part) => isCall(part) && idOf(part) === id);
  const part = parts[index];
  if (part === undefined || !isCall(part)) return [...parts, change(unread(id))];
  const changed = change(part);
  return changed === part ? parts : parts.with(index, changed);
}

function isCall(part: Part): part is CallPart {
  return part.kind !== 'text';
}

function idOf(part: CallPart): CallId {
  return part.kind === 'tool' ? part.tool.callId : part.call.callId;
}

/** `reading page 3`, or `3 of 10`. */
function progressText({ done, total, message }: ToolProgress): string {
  return message ?? (total === undefined ? String(done) : `${done} of ${total}`);
}
