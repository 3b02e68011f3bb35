// What is said to a screen reader. The conversation itself is not live: reading out every word as
// it arrives is of no use. One polite status tells the turns of an answer, what was refused, and what
// others give to `announce`; one alert tells of a lost connection and of nothing else.

import { useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { announce, announcement } from '../announce';
import { explain } from '../limits';
import type { ErrorEvent } from '../protocol';
import type { Session } from '../session';
import type { Answer, State } from '../state';
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

/** Draws nothing: says how the answers of a session come along. */
function TurnTeller({ session }: { session: Session }) {
  const before = useRef<Answer | undefined>(undefined);

  useSignalEffect(() => {
    const { entries, ended } = session.state.value;
    // What a replay brings is already finished, and nothing to tell.
    const answer = entries.findLast((entry) => entry.kind === 'answer' && !entry.superseded);
    if (answer?.kind !== 'answer') return;
    const news = ended && session.over.value ? strings.spoken.ended : tell(before.current, answer);
    if (news !== undefined) announce(news);
    before.current = answer;
  });

  return null;
}

/** Draws nothing: says what was asked for and did not happen. */
function RefusalTeller({ session }: { session: Session }) {
  // What was refused before the page was opened is no news.
  const refusal = useRef(lastRefusal(session.state.peek()));
  const problem = useRef(session.state.peek().problem);

  useSignalEffect(() => {
    const state = session.state.value;
    const error = lastRefusal(state);
    if (state.problem !== null && state.problem !== problem.current) announce(explain(state.problem));
    if (error !== undefined && error !== refusal.current) announce(`${strings.delivery.refused}: ${explain(error)}`);
    problem.current = state.problem;
    refusal.current = error;
  });

  return null;
}

/** Why the last message was refused that was. */
function lastRefusal({ entries }: State): ErrorEvent | undefined {
  const refused = entries.findLast((entry) => entry.kind === 'said' && entry.delivery === 'refused');
  return refused?.kind === 'said' ? refused.error : undefined;
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
