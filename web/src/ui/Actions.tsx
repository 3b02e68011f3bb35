// What can be done with something that was said: one quiet row of buttons below it.

import type { ComponentChildren } from 'preact';
import { announce } from '../announce';
import type { Answer, Said } from '../state';
import { textOf } from '../state/answer';
import { strings } from '../strings';
import { canSpeak, speaking, toggleReading } from '../voice/speaker';
import { useSession } from './context';
import { CopyButton } from './CopyButton';

export function AnswerActions({ answer }: { answer: Answer }) {
  const text = textOf(answer);
  return (
    <Row id={answer.id} text={text}>
      <RegenerateButton answer={answer} />
    </Row>
  );
}

export function SaidActions({ said, onEdit }: { said: Said; onEdit(): void }) {
  switch (said.delivery) {
    case 'waiting':
    case 'spooled':
      return null;
    case 'stored':
      return (
        <Row id={said.id} text={said.content}>
          <EditButton said={said} onEdit={onEdit} />
        </Row>
      );
    case 'refused':
      return <RefusedActions said={said} onEdit={onEdit} />;
  }
}

function Row({ id, text, children }: { id: string; text: string; children: ComponentChildren }) {
  return (
    <div class="actions" role="group" aria-label={strings.actions.region}>
      {children}
      {text !== '' && <QuoteButton text={text} />}
      {text !== '' && canSpeak && <ReadButton id={id} text={text} />}
      {text !== '' && <CopyButton text={text} />}
    </div>
  );
}

/** What was not taken stays until somebody decides about it. */
function RefusedActions({ said, onEdit }: { said: Said; onEdit(): void }) {
  const session = useSession();
  // The buttons are about to go, and would take the focus with them.
  const decide = (what: () => void) => () => {
    what();
    document.getElementById('message')?.focus();
  };
  return (
    <div class="actions" role="group" aria-label={strings.actions.region}>
      <button type="button" class="quiet" onClick={decide(() => session.sayAgain(said))}>{strings.delivery.again}</button>
      <button type="button" class="quiet" onClick={onEdit}>{strings.actions.edit}</button>
      <button type="button" class="quiet" onClick={decide(() => session.discard(said.id))}>{strings.delivery.discard}</button>
    </div>
  );
}

/** Only the last message can be replaced. */
function EditButton({ said, onEdit }: { said: Said; onEdit(): void }) {
  const session = useSession();
  if (session.lastSaidId.value !== said.id || session.over.value) return null;
  return <button type="button" class="quiet" onClick={onEdit}>{strings.actions.edit}</button>;
}

/** Has the last message answered again, once its answer is over. Only what is connected can ask for it. */
function RegenerateButton({ answer }: { answer: Answer }) {
  const session = useSession();
  const isLast = answer.messageId !== null && session.lastSaidId.value === answer.messageId;
  const isOpen = session.connection.value.phase === 'open';
  if (!isLast || answer.superseded || session.answering.value || !isOpen) return null;
  const regenerate = () => {
    if (!session.regenerate()) announce(strings.actions.offline);
    document.getElementById('message')?.focus(); // The button is about to go.
  };
  return <button type="button" class="quiet" onClick={regenerate}>{strings.actions.regenerate}</button>;
}

/** Puts the text into the draft, as a quote in front of what stands there. */
function QuoteButton({ text }: { text: string }) {
  const session = useSession();
  const quote = () => {
    const lines = text.trim().split('\n').map((line) => `> ${line}`.trimEnd());
    session.draft.value = `${lines.join('\n')}\n\n${session.draft.peek()}`;
    document.getElementById('message')?.focus();
  };
  return <button type="button" class="quiet" onClick={quote}>{strings.actions.quote}</button>;
}

function ReadButton({ id, text }: { id: string; text: string }) {
  const reads = speaking.value === id;
  return (
    <button type="button" class="quiet" title={strings.voice.privacy} onClick={() => toggleReading(id, text)}>
      {reads ? strings.actions.stopReading : strings.actions.readAloud}
    </button>
  );
}
