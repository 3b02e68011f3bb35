// What the server wants a person to know (the demo model, trouble with the store, another model, a
// restart), one calm line each, and what was asked for and did not happen. A notice can be dismissed
// until it comes anew; a problem goes with the next message.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { explain } from '../limits';
import type { Notice } from '../protocol';
import { followHealth, healthNotices } from '../status/health';
import { strings } from '../strings';
import { useSession } from './context';

/** What was put away, on whatever session. */
const dismissed = signal<readonly string[]>([]);

export function Notices() {
  const { notices, problem } = useSession().state.value;
  // Asked again with every notice, since it may tell that what was seen before is over.
  useEffect(followHealth, [notices]);
  // What a connection tells is newer.
  const all = [...notices, ...healthNotices.value.filter(({ code }) => notices.every((other) => other.code !== code))];
  const names = all.map(nameOf);
  useEffect(() => {
    // Trouble that is over and comes back is news; the demo model is none.
    dismissed.value = dismissed.peek().filter((name) => name === 'demo_model' || names.includes(name));
  }, [names.join()]);
  return (
    <>
      {all.filter((notice) => !dismissed.value.includes(nameOf(notice))).map((notice) => (
        <Line key={notice.code} notice={notice} />
      ))}
      {problem !== null && (
        <div class="notice problem" data-problem={problem.code}>
          <p>{explain(problem)}</p>
        </div>
      )}
    </>
  );
}

/** What counts as the same notice: from one model to the next there may be several failovers. */
function nameOf({ code, message }: Notice): string {
  return code === 'provider_failover' ? `${code} ${message}` : code;
}

function Line({ notice }: { notice: Notice }) {
  const { code, message } = notice;
  const lacksAdvice = code === 'demo_model' && !message.includes('GEMINI_API_KEY');
  return (
    <div class="notice" data-notice={code}>
      <div>
        <p>{message}</p>
        {lacksAdvice && <span class="advice">{strings.status.demoAdvice}</span>}
      </div>
      <button type="button" onClick={() => (dismissed.value = [...dismissed.peek(), nameOf(notice)])}>
        {strings.dismiss}
      </button>
    </div>
  );
}
