// A message of the user being written anew, in its place. Enter sends it, Esc leaves it as it was.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Said } from '../state';
import { strings } from '../strings';
import { isComposing } from './composing';
import { useSession } from './context';

export function EditMessage({ said, onDone }: { said: Said; onDone(): void }) {
  const session = useSession();
  const text = useSignal(said.content);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus(), []);
  const leave = () => {
    onDone();
    document.getElementById('message')?.focus(); // The box is gone, and would take the focus with it.
  };
  const send = () => {
    const content = text.value.replaceAll('\u0000', '').trim();
    if (content !== '' && content !== said.content) session.edit(said.id, content);
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
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="controls">
        <button type="button" class="quiet" onClick={leave}>{strings.actions.cancel}</button>
        <button type="submit" class="primary">{strings.actions.sendEdited}</button>
      </div>
    </form>
  );
}
