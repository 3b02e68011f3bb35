// The bar at the top: what this is, which model answers, how the connection stands, and the way out.

import { needsToken } from '../access/asking';
import { InspectorButton } from '../inspector/InspectorButton';
import { SidebarButton } from '../sidebar/SidebarButton';
import { strings } from '../strings';
import { useSession } from './context';

export function TitleBar() {
  const session = useSession();
  const connection = session.connection.value;
  const phase = connection.phase === 'connecting' && needsToken.value ? 'locked' : connection.phase;
  const model = session.state.value.session?.model;
  return (
    <div class="bar">
      <SidebarButton />
      <h1 class="brand">
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <path d="M3 5h9M3 10h14M3 15h6" />
        </svg>
        {strings.name}
      </h1>
      {model !== undefined && <span class="model">{model}</span>}
      <span class="connection" data-phase={phase}>
        <span class="dot" aria-hidden="true" />
        {strings.connection[phase]}
      </span>
      <EndButton />
      <InspectorButton />
    </div>
  );
}

function EndButton() {
  const session = useSession();
  const { ended, entries } = session.state.value;
  if (ended || entries.length === 0) return null;
  const ending = session.ending.value;
  return (
    <button type="button" class="quiet" disabled={ending} onClick={() => session.end()}>
      {ending ? strings.ending : strings.end}
    </button>
  );
}
