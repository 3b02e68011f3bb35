// A message of the user being written anew, in its place. Enter sends it, Esc leaves it as it was.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Said } from '../state';
import { strings } from '../strings';
import { useSession } from './context';

export function EditMessage({ said, onDone }: { said: Said; onDone(): void }) {
  const session = useSession();
  const text = useSignal(said.content);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus(), []);
  const send = () => {
    const content = text.value.trim();
    if (content !== '' && content !== said.content) session.edit(said.id, content);
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      event.stopPropagation(); // It ends the editing, and not the answer.
      onDone();
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
        <button type="button" class="quiet" onClick={onDone}>{strings.actions.cancel}</button>
        <button type="submit" class="primary">{strings.actions.sendEdited}</button>
      </div>
    </form>
  );
}
