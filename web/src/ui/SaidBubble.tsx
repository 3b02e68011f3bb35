// One message of the user, and how far it has come where that is worth a word.

import { useState } from 'preact/hooks';
import type { Said } from '../state';
import { strings } from '../strings';
import { SaidActions } from './Actions';
import { useSession } from './context';
import { EditMessage } from './EditMessage';

export function SaidBubble({ said }: { said: Said }) {
  const [editing, setEditing] = useState(false);
  return (
    <article
      class="said"
      data-delivery={said.delivery}
      data-superseded={said.superseded}
      data-seq={said.stored?.seq}
      aria-label={strings.you}
    >
      {editing ? (
        <EditMessage said={said} onDone={() => setEditing(false)} />
      ) : (
        <p class="bubble">{said.content}</p>
      )}
      <DeliveryNote said={said} />
      {!editing && <SaidActions said={said} onEdit={() => setEditing(true)} />}
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
      return (
        <p class="note bad">
          {strings.delivery.refused}: {said.error?.message}{' '}
          <button type="button" onClick={() => session.sayAgain(said)}>
            {strings.delivery.again}
          </button>
        </p>
      );
  }
}
