// What all sessions came to, over time. Loaded when it is first shown. So far it has a heading and
// the way back to a conversation.

import { startNewSession } from '../location';
import { SidebarButton } from '../sidebar/SidebarButton';
import { strings } from '../strings';

export function Analytics() {
  return (
    <main id="analytics" class="analytics" tabIndex={-1} aria-labelledby="analytics-title">
      <div class="bar">
        <SidebarButton />
        <h1 id="analytics-title">{strings.analytics.title}</h1>
        <button type="button" class="quiet" onClick={() => startNewSession()}>{strings.startNew}</button>
      </div>
    </main>
  );
}
