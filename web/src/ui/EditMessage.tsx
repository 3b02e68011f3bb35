// A message of the user being written anew: the last one, to take its place, or one that was refused. Enter
// sends it, Esc leaves it as it was. What cannot be sent says why, and stays.

import { useComputed } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { announce } from '../announce';
import { complaintOf, toMessage } from '../message';
import type { Said } from '../state';
import { strings } from '../strings';
import { useSpoken } from './complaint';
import { isComposing } from './composing';
import { useSession } from './context';

export function EditMessage({ said, takesFocus }: { said: Said; takesFocus: boolean }) {
  const session = useSession();
  const text = useComputed(() => session.edits.of(said.id) ?? said.content).value;
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (takesFocus) input.current?.focus();
  }, []);
  const content = toMessage(text);
  const isRefused = said.delivery === 'refused';
  const isTooLate = !isRefused && session.lastSaidId.value !== said.id;
  // To be gone on with first, below: sending would begin it anew.
  const isOver = session.over.value;
  const tooLong = complaintOf(text, session.contentLimit.value);
  const complaint = tooLong ?? (isOver ? strings.actions.over : isTooLate ? strings.actions.notLast : undefined);
  useSpoken(complaint);
  const isGood = content !== '' && tooLong === undefined && !isOver;
  const note = complaint ?? (session.state.value.ended ? strings.opening.finalized : undefined);
  const hint = useId();

  const leave = () => {
    session.edits.end(said.id);
    document.getElementById('message')?.focus(); // The box is gone, and would take the focus with it.
  };
  const send = () => {
    if (complaint !== undefined) announce(complaint);
    if (!isGood || isTooLate) return;
    if (isRefused) session.sayAgain(said, content);
    // Asked again: another message may have come since this was drawn.
    else if (content !== said.content && !session.edit(said.id, content)) return;
    leave();
  };
  const sendAsNew = () => {
    session.say(content);
    leave();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Escape') {
      event.stopPropagation(); // It ends the editing, and not the answer.
      leave();
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={input}
        rows={2}
        aria-label={strings.actions.editing}
        aria-describedby={note === undefined ? undefined : hint}
        aria-invalid={complaint !== undefined}
        value={text}
        onInput={(event) => session.edits.keep(said.id, event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {note !== undefined && <p id={hint} class={complaint === undefined ? 'hint' : 'hint bad'}>{note}</p>}
      <div class="controls">
        <button type="button" class="quiet" onClick={leave}>{strings.actions.cancel}</button>
        {isTooLate ? (
          <button type="button" class="primary" disabled={!isGood} onClick={sendAsNew}>{strings.actions.sendAsNew}</button>
        ) : (
          <button type="submit" class="primary" disabled={!isGood}>
            {isRefused ? strings.delivery.again : strings.actions.sendEdited}
          </button>
        )}
      </div>
    </form>
  );
}
