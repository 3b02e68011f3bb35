// How an answer spent its time, in segments without gaps: waiting for the model or for an approval,
// tools, words. The server tells when the first word came and when each tool ended; what is between
// is words.

import type { Answer, ToolState } from '../state';

export type Activity = 'waiting' | 'words' | 'tool';

/** From `from` to `to`, in milliseconds after the message was taken up. */
export interface Segment {
  activity: Activity;
  from: number;
  to: number;
}

interface Span {
  from: number;
  to: number;
}

/** None for an answer that is not stored, and for one that took no time. */
export function segmentsOf({ stored, parts }: Pick<Answer, 'stored' | 'parts'>): readonly Segment[] {
  if (stored === null) return [];
  const { total_ms: total, first_token_ms } = stored.timing;
  const start = Date.parse(stored.at) - total;
  if (!Number.isFinite(start) || total <= 0) return [];
  const tools = parts.flatMap((part) => (part.kind === 'tool' ? [part.tool] : []));
  const within = (spans: Span[]) => spans.map(({ from, to }) => ({ from: clamp(from - start, total), to: clamp(to - start, total) }));
  const ran = within(tools.flatMap(ranFor));
  // Between its call and its start, a tool waits for somebody's approval.
  const waited = [{ from: 0, to: clamp(first_token_ms ?? total, total) }, ...within(tools.flatMap(waitedFor))];
  const inside = (spans: Span[], time: number) => spans.some(({ from, to }) => from <= time && time < to);

  const edges = [...new Set([0, total, ...[...ran, ...waited].flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const [index, from] of edges.slice(0, -1).entries()) {
    const to = edges[index + 1] ?? total;
    const activity = inside(ran, from) ? 'tool' : inside(waited, from) ? 'waiting' : 'words';
    const last = segments.at(-1);
    if (last?.activity === activity) last.to = to;
    else segments.push({ activity, from, to });
  }
  return segments;
}

/** How long each activity took in all. */
export function totals(segments: readonly Segment[]): Record<Activity, number> {
  const sums = { waiting: 0, words: 0, tool: 0 };
  for (const { activity, from, to } of segments) sums[activity] += to - from;
  return sums;
}

function ranFor({ outcome }: ToolState): Span[] {
  const to = Date.parse(outcome?.at ?? '');
  return outcome === null || Number.isNaN(to) ? [] : [{ from: to - outcome.durationMs, to }];
}

function waitedFor(tool: ToolState): Span[] {
  const [ran] = ranFor(tool);
  const from = Date.parse(tool.at);
  return ran === undefined || !(from < ran.from) ? [] : [{ from, to: ran.from }];
}

function clamp(time: number, total: number): number {
  return Math.min(total, Math.max(0, time));
}
