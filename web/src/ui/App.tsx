// The whole page: one session at a time, named by the address.

import { useEffect, useState } from 'preact/hooks';
import { currentSessionId, startNewSession } from '../location';
import { Session } from '../session';
import { strings } from '../strings';
import { Announcer } from './Announcer';
import { Composer } from './Composer';
import { SessionContext } from './context';
import { Conversation } from './Conversation';
import { Notices } from './Notices';
import { ReconnectStrip } from './ReconnectStrip';
import { TitleBar } from './TitleBar';

export function App() {
  const [session, setSession] = useState(() => new Session(currentSessionId()));

  useEffect(() => () => session.leave(), [session]);
  useEffect(() => {
    const followAddress = () => {
      const id = currentSessionId();
      setSession((shown) => (shown.id === id ? shown : new Session(id)));
    };
    addEventListener('popstate', followAddress);
    return () => removeEventListener('popstate', followAddress);
  }, []);

  return (
    <SessionContext.Provider value={session} key={session.id}>
      <a class="skip" href="#message">{strings.skip}</a>
      <div class="page">
        <header>
          <TitleBar />
          <ReconnectStrip />
          <Notices />
        </header>
        <Conversation />
        <Composer onStartNew={() => setSession(new Session(startNewSession()))} />
      </div>
      <Announcer />
    </SessionContext.Provider>
  );
}
