// The page as a whole: the view that the address asks for, with the columns beside it, and what
// lies over every view. Only what belongs to a session is made anew with each one.

import { askingNow } from '../access/asking';
import { SignInStrip } from '../access/SignInStrip';
import { inspectorPanel } from '../panels';
import { Dialogs } from '../choose/Dialogs';
import { route, startNewSession } from '../location';
import type { Session } from '../session';
import { shownSession } from '../shown';
import { Sidebar } from '../sidebar/Sidebar';
import { UndoBar } from '../sidebar/UndoBar';
import { strings } from '../strings';
import { Announcer } from './Announcer';
import { Composer } from './Composer';
import { SessionContext } from './context';
import { Conversation } from './Conversation';
import { lazily } from './lazy';
import { Notices } from './Notices';
import { ReconnectStrip } from './ReconnectStrip';
import { TitleBar } from './TitleBar';

const Analytics = lazily(async () => (await import('../analytics/Analytics')).Analytics);
/** Over whatever dialog is open: what stands in that one stays. */
const SignIn = lazily(async () => (await import('../access/SignIn')).SignIn);
const Inspector = lazily(async () => (await import('../inspector/Inspector')).Inspector);

export function App() {
  const { view } = route.value;
  const session = shownSession.value;
  return (
    <>
      <SkipLink view={view} />
      <div class="shell">
        <Sidebar />
        {view === 'analytics' && <Analytics />}
        {view === 'session' && session !== null && <SessionView key={session.id} session={session} />}
        {view === 'session' && session !== null && inspectorPanel.shown.value && (
          <Inspector key={session.id} session={session} />
        )}
      </div>
      <UndoBar />
      <Dialogs />
      {askingNow.value && <SignIn />}
      <Announcer session={session} />
    </>
  );
}

function SkipLink({ view }: { view: 'session' | 'analytics' }) {
  if (view === 'analytics') return <a class="skip" href="#analytics">{strings.analytics.skip}</a>;
  return <a class="skip" href="#message">{strings.skip}</a>;
}

function SessionView({ session }: { session: Session }) {
  return (
    <SessionContext.Provider value={session}>
      <div class="page">
        <header>
          <TitleBar />
          <SignInStrip />
          <ReconnectStrip />
          <Notices />
        </header>
        <Conversation />
        <Composer onStartNew={() => startNewSession()} />
      </div>
    </SessionContext.Provider>
  );
}
