// One message of the user, and how far it has come where that is worth a word.

import type { Said } from '../state';
import { strings } from '../strings';
import { SaidActions } from './Actions';
import { useSession } from './context';

export function SaidBubble({ said }: { said: Said }) {
  return (
    <article
      class="said"
      data-delivery={said.delivery}
      data-superseded={said.superseded}
      aria-label={strings.you}
    >
      <p class="bubble">{said.content}</p>
      <DeliveryNote said={said} />
      <SaidActions said={said} />
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
          <button type="button" onClick={() => session.sayAgain(said.id, said.content)}>
            {strings.delivery.again}
          </button>
        </p>
      );
  }
}
