// What the server wants a person to know (the demo model, trouble with the store, a restart), and
// what was asked for and did not happen. A notice can be dismissed; a problem goes with the next
// message.

import { useSignal } from '@preact/signals';
import { strings } from '../strings';
import { useSession } from './context';

export function Notices() {
  const { notices, problem } = useSession().state.value;
  const dismissed = useSignal<readonly string[]>([]);
  const shown = notices.filter(({ message }) => !dismissed.value.includes(message));
  return (
    <>
      {shown.map(({ code, message }) => (
        <div key={code} class="notice" data-notice={code}>
          <p>{message}</p>
          <button type="button" onClick={() => (dismissed.value = [...dismissed.value, message])}>
            {strings.dismiss}
          </button>
        </div>
      ))}
      {problem !== null && (
        <div class="notice problem" data-problem={problem.code}>
          <p>{problem.message}</p>
        </div>
      )}
    </>
  );
}
