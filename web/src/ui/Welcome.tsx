// What stands in an empty conversation: questions to try, and the way in from a terminal.

import { accessToken } from '../access/token';
import { socketUrl } from '../address';
import { strings } from '../strings';
import { useSession } from './context';

export function Welcome() {
  const session = useSession();
  return (
    <section class="welcome">
      <h2>{strings.welcome.title}</h2>
      <p>{strings.welcome.lead}</p>
      <ul>
        {strings.welcome.examples.map((example) => (
          <li key={example}>
            <button type="button" onClick={() => session.say(example)}>{example}</button>
          </li>
        ))}
      </ul>
      <p class="terminal">
        {strings.welcome.terminal} <code>websocat {accessToken.value !== null && `${strings.welcome.terminalToken} `}{socketUrl(session.id).href}</code>
      </p>
    </section>
  );
}
