// The conversation from top to bottom, and the button that leads back to its end.

import { Component } from 'preact';
import { useEffect } from 'preact/hooks';
import { route } from '../location';
import type { Session } from '../session';
import { type Entry, keyOf } from '../state';
import { strings } from '../strings';
import { AnswerView, Waiting } from './Answer';
import { ClosingCard } from './ClosingCard';
import { useSession } from './context';
import { EarlierButton } from './Earlier';
import { useFollow } from './follow';
import { SaidBubble } from './SaidBubble';
import { Welcome } from './Welcome';

export function Conversation() {
  const session = useSession();
  const { entries } = session.state.value;
  const { scroller, content, following, resume, stopFollowing } = useFollow();

  useEffect(() => void showPlace(session, stopFollowing), [session, route.value]);

  useEffect(
    () => session.followReader(() => following.peek() && !isLookedAt(content.current)),
    [session],
  );

  // Who says something wants to see the answer, and who ends the session its summary.
  useEffect(resume, [session.spoken.value, session.ending.value]);

  return (
    <main class="conversation">
      <div
        ref={scroller}
        class="log"
        role="log"
        aria-live="off"
        aria-label={strings.conversation}
        tabIndex={0}
      >
        <div ref={content} class="column">
          <EarlierButton scroller={scroller} stopFollowing={stopFollowing} />
          {entries.length === 0 && <Welcome />}
          {entries.map((entry) => <Row key={keyOf(entry)} entry={entry} />)}
          {session.awaiting.value && <Waiting />}
        </div>
      </div>
      {!following.value && (
        <button type="button" class="jump" onClick={resume}>{strings.jump}</button>
      )}
    </main>
  );
}

/** An entry that did not change keeps its element, and is not drawn again. No `useMemo`: what that keeps holds on to
 *  all that stood beside it when it was drawn, also when the others are let go of. */
class Row extends Component<{ entry: Entry }> {
  override shouldComponentUpdate(next: { entry: Entry }): boolean {
    return next.entry !== this.props.entry;
  }

  override render({ entry }: { entry: Entry }) {
    switch (entry.kind) {
      case 'said':
        return <SaidBubble said={entry} />;
      case 'answer':
        return <AnswerView answer={entry} />;
      case 'closing':
        return <ClosingCard closing={entry} />;
    }
  }
}

/** Whether somebody has the focus in an element, or has selected something of it. */
function isLookedAt(element: HTMLElement | null): boolean {
  if (element === null) return false;
  const selection = getSelection();
  const isSelected = selection !== null && !selection.isCollapsed && selection.getRangeAt(0).intersectsNode(element);
  return isSelected || element.contains(document.activeElement);
}

/** Shows the message that the address asks for. */
async function showPlace(session: Session, stopFollowing: () => void): Promise<void> {
  const asked = route.peek();
  if (asked.view !== 'session' || asked.session !== session.id || asked.at === null) return;
  await session.opened;
  if (route.peek() !== asked) return;
  stopFollowing();
  await session.showFrom(asked.at);
  // When it is drawn.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  if (route.peek() !== asked) return; // Somebody went on meanwhile.
  const element = placeOf(asked.at);
  if (element === undefined) return;
  element.closest('details')?.setAttribute('open', '');
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: 'center' });
}

/** What shows the event `seq`. A summary that came late has no place of its own: it stands in that of the
 *  end which it follows. */
function placeOf(seq: number): HTMLElement | undefined {
  const places = [...document.querySelectorAll<HTMLElement>('.log [data-seq]')];
  const seqOf = (place: HTMLElement) => Number(place.dataset.seq);
  return places.filter((place) => seqOf(place) <= seq).sort((one, other) => seqOf(one) - seqOf(other)).at(-1);
}
