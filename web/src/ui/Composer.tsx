// Where the user writes. Enter sends, Shift+Enter adds a line, Esc stops the answer. It never
// refuses to be written in: without a connection messages wait, and too long a text stays.

import { useEffect, useRef } from 'preact/hooks';
import { announce } from '../announce';
import { RouteChoice } from '../choose/RouteChoice';
import { dialogIsOpen } from '../keyboard';
import { complaintOf, toMessage } from '../message';
import { strings } from '../strings';
import { useSpoken } from './complaint';
import { isComposing } from './composing';
import { useSession } from './context';
import { VoiceButtons } from './VoiceButtons';

export function Composer({ onStartNew }: { onStartNew(): void }) {
  const session = useSession();
  return (
    <section class="composer" aria-label={strings.composer.region}>
      {session.over.value && session.draft.value.trim() === '' ? (
        <StartNew onStartNew={onStartNew} />
      ) : (
        <MessageForm />
      )}
    </section>
  );
}

/** Takes the focus, which the widgets that went with the session have lost. */
function StartNew({ onStartNew }: { onStartNew(): void }) {
  const session = useSession();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Nor from whoever is somewhere else on the page.
    if (document.activeElement === document.body) button.current?.focus();
  }, []);
  return (
    <div class="start-new">
      <button ref={button} id="message" type="button" class="primary" onClick={onStartNew}>
        {strings.startNew}
      </button>
      <button type="button" onClick={() => session.goOn()}>{strings.opening.goOn}</button>
    </div>
  );
}

function MessageForm() {
  const session = useSession();
  const { connection, draft } = session;
  const input = useRef<HTMLTextAreaElement>(null);
  const answering = session.answering.value;
  const complaint = complaintOf(draft.value, session.contentLimit.value);
  const sendable = toMessage(draft.value) !== '' && complaint === undefined;

  const send = () => {
    if (complaint !== undefined) announce(complaint);
    if (!sendable) return;
    session.say(toMessage(draft.value));
    draft.value = '';
  };
  const stop = () => {
    if (!session.stop()) announce(strings.actions.offline);
    input.current?.focus(); // The button is about to go, and would take the focus with it.
  };
  useStopKey(stop);
  useSpoken(complaint);
  useEffect(() => {
    // On a phone this would open the keyboard over the page.
    if (matchMedia('(hover: hover)').matches) input.current?.focus();
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    // While a word is being composed (Japanese, Chinese, Korean), Enter belongs to the composing.
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      class="box"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={input}
        id="message"
        rows={1}
        aria-label={strings.composer.label}
        aria-describedby="message-hint"
        aria-invalid={complaint !== undefined}
        placeholder={strings.composer.placeholder}
        value={draft.value}
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="controls">
        <Hint complaint={complaint} />
        <RouteChoice />
        <VoiceButtons onText={(text) => (draft.value = join(draft.value, text))} />
        {answering && (
          <button type="button" class="stop" disabled={connection.value.phase !== 'open'} onClick={stop}>
            {strings.composer.stop}
          </button>
        )}
        {(!answering || sendable) && (
          <button type="submit" class="primary" disabled={!sendable}>{strings.composer.send}</button>
        )}
      </div>
    </form>
  );
}

function Hint({ complaint }: { complaint: string | undefined }) {
  const { interrupted, state } = useSession();
  const waits = interrupted.value;
  if (complaint !== undefined) return <span id="message-hint" class="hint bad">{complaint}</span>;
  if (waits) return <span id="message-hint" class="hint">{strings.composer.queued}</span>;
  if (state.value.ended) return <span id="message-hint" class="hint">{strings.opening.finalized}</span>;
  return <span id="message-hint" class="hint keys">{strings.composer.hint}</span>;
}

/** A draft with more words behind it. */
function join(draft: string, text: string): string {
  return draft === '' || /\s$/.test(draft) ? draft + text : `${draft} ${text}`;
}

/** Esc stops the answer, wherever the focus is, unless something in front of it takes the key. */
function useStopKey(stop: () => void): void {
  const { answering } = useSession();
  useEffect(() => {
    // Asked when the key is pressed, not when this was drawn: an answer starts in between.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented || dialogIsOpen()) return;
      if (answering.peek()) stop();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}
