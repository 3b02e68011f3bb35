// The way to what stands in front of the part that is shown.

import { strings } from '../strings';
import { useSession } from './context';

export function EarlierButton() {
  const session = useSession();
  const earlier = session.earlier.value;
  if (earlier === 'none') return null;
  const words = { more: strings.opening.earlier, loading: strings.opening.loading, failed: strings.opening.failed };
  return (
    <p class="earlier-messages">
      <button type="button" disabled={earlier === 'loading'} onClick={() => void session.showEarlier()}>
        {words[earlier]}
      </button>
    </p>
  );
}
