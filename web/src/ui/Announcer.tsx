// What is said to a screen reader. The conversation itself is not live: reading out every word as
// it arrives is of no use. One polite status tells the turns of an answer, what was refused, and what
// others give to `announce`; one alert tells of a lost connection and of nothing else.

import { useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { announce, announcement } from '../announce';
import { explain } from '../limits';
import type { ErrorEvent } from '../protocol';
import type { Session } from '../session';
import type { Answer, Entry, Said, State } from '../state';
import { strings } from '../strings';

export function Announcer({ session }: { session: Session | null }) {
  const { text, number } = announcement.value;
  // Where it is for want of a token, that is said when it is asked for.
  const lost = session !== null && session.interrupted.value && !session.over.value && session.connection.value.phase !== 'locked';
  return (
    <div class="for-screen-readers">
      <p role="status"><span key={number}>{text}</span></p>
      <p role="alert">{lost && strings.spoken.lost}</p>
      {session !== null && <TurnTeller key={`turns ${session.id}`} session={session} />}
      {session !== null && <RefusalTeller key={`refusals ${session.id}`} session={session} />}
    </div>
  );
}

/** Draws nothing: says how the answers of a session come along, and that it ended. */
function TurnTeller({ session }: { session: Session }) {
  const before = useRef<Answer | undefined>(undefined);
  const wasOver = useRef(session.over.peek());

  useSignalEffect(() => {
    const { entries } = session.state.value;
    const isOver = session.over.value;
    // What a replay brings is already finished, and nothing to tell.
    const answer = entries.findLast((entry) => entry.kind === 'answer' && !entry.superseded);
    const news = answer?.kind === 'answer' ? tell(before.current, answer) : undefined;
    if (isOver && !wasOver.current) announce(strings.spoken.ended);
    else if (news !== undefined) announce(news);
    if (answer?.kind === 'answer') before.current = answer;
    wasOver.current = isOver;
  });

  return null;
}

/** Draws nothing: says what was asked for and did not happen, each once. */
function RefusalTeller({ session }: { session: Session }) {
  // What was refused before the page was opened is no news.
  const told = useRef(new WeakSet(troubles(session.state.peek())));

  useSignalEffect(() => {
    const news = troubles(session.state.value).filter((error) => !told.current.has(error));
    for (const error of news) told.current.add(error);
    // One after the other, they would be lost for each other.
    if (news.length > 0) announce(news.map((error) => wordsOf(error, session.state.peek())).join(' '));
  });

  return null;
}

/** Everything that was asked for and did not happen. */
function troubles({ entries, problem }: State): ErrorEvent[] {
  const refusals = entries.flatMap((entry) => (isRefused(entry) && entry.error !== undefined ? [entry.error] : []));
  return problem === null ? refusals : [problem, ...refusals];
}

function isRefused(entry: Entry): entry is Said {
  return entry.kind === 'said' && entry.delivery === 'refused';
}

function wordsOf(error: ErrorEvent, { problem }: State): string {
  return error === problem ? explain(error) : `${strings.delivery.refused}: ${explain(error)}`;
}

/** What changed from one state of the latest answer to the next, in words. */
function tell(before: Answer | undefined, now: Answer): string | undefined {
  if (before?.id !== now.id) return now.finish === null ? strings.spoken.started : undefined;
  if (before.finish === null && now.finish !== null) {
    if (now.finish === 'cancelled') return strings.spoken.stopped;
    return now.finish === 'error' ? strings.spoken.failed : strings.spoken.complete;
  }
  const last = now.parts.at(-1);
  if (now.parts.length === before.parts.length || last?.kind !== 'tool') return undefined;
  return strings.spoken.tool(last.tool.name);
}
