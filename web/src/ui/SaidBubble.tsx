// One message of the user, and how far it has come where that is worth a word.

import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import { explain } from '../limits';
import type { Said } from '../state';
import { strings } from '../strings';
import { SaidActions } from './Actions';
import { useSession } from './context';
import { EditMessage } from './EditMessage';

export function SaidBubble({ said }: { said: Said }) {
  const session = useSession();
  const editing = useComputed(() => session.edits.of(said.id) !== undefined);
  // What was being written when the session was left is there again, and takes the focus from nobody.
  const [asked, setAsked] = useState(false);
  const edit = () => {
    setAsked(true);
    session.edits.keep(said.id, said.content);
  };
  return (
    <article
      class="said"
      data-delivery={said.delivery}
      data-superseded={said.superseded}
      data-seq={said.stored?.seq}
      aria-label={strings.you}
    >
      {editing.value ? <EditMessage said={said} takesFocus={asked} /> : <p class="bubble">{said.content}</p>}
      <DeliveryNote said={said} />
      {!editing.value && <SaidActions said={said} onEdit={edit} />}
    </article>
  );
}

function DeliveryNote({ said }: { said: Said }) {
  const session = useSession();
  switch (said.delivery) {
    case 'stored':
      return null;
    case 'spooled':
      return <p class="note">{strings.delivery.spooled}</p>;
    case 'waiting':
      if (session.connection.value.phase === 'open') return null;
      return <p class="note">{strings.delivery.waiting}</p>;
    case 'refused':
      return <p class="note bad">{strings.delivery.refused}: {said.error && explain(said.error)}</p>;
  }
}
