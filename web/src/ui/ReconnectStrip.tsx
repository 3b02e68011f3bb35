// A calm strip under the header while the connection is away. It covers nothing and stops nobody
// from writing.

import { useEffect, useState } from 'preact/hooks';
import type { Connection, Reason } from '../socket/connection';
import { strings } from '../strings';
import { useSession } from './context';

/** The close code, and what the page makes of a refusal. */
const FORBIDDEN = 4403;

export function ReconnectStrip() {
  const session = useSession();
  const connection = session.connection.value;
  if (!session.interrupted.value || session.over.value) return null;
  if (connection.phase === 'locked') return null; // Another strip says that somebody has to sign in.
  return (
    <div class="strip" data-strip="connection">
      <p>
        <strong><Explanation connection={connection} /></strong>{' '}
        {connection.phase !== 'closed' && !('why' in connection) && strings.strip.reassurance}
      </p>
      {connection.phase !== 'connecting' && (
        <button type="button" onClick={() => session.reconnect()}>{strings.strip.now}</button>
      )}
    </div>
  );
}

function Explanation({ connection }: { connection: Connection }) {
  if (connection.phase === 'waiting') return <Countdown until={connection.retryAt} why={connection.why} />;
  if (connection.phase === 'closed' && connection.code === FORBIDDEN) return <>{strings.strip.forbidden}</>;
  if (connection.phase === 'closed') return <>{strings.strip.closed(connection.code)}</>;
  return <>{strings.strip.connecting}</>;
}

function Countdown({ until, why }: { until: number; why: Reason | undefined }) {
  const secondsLeft = () => Math.max(1, Math.ceil((until - Date.now()) / 1_000));
  const [seconds, setSeconds] = useState(secondsLeft);
  useEffect(() => {
    setSeconds(secondsLeft());
    const timer = setInterval(() => setSeconds(secondsLeft()), 1_000);
    return () => clearInterval(timer);
  }, [until]);
  if (why === undefined) return <>{strings.strip.waiting(seconds)}</>;
  return <>{strings.strip.because[why]} {strings.strip.nextTry(seconds)}</>;
}
