// Who is signed in, in the settings, and the ways in and out. Nothing where the server asks nobody.

import { strings } from '../strings';
import { ask, needsToken } from './asking';
import { signOut } from './sign';
import { accessToken, subjectOf } from './token';

const words = strings.access;

export function Account() {
  const token = accessToken.value;
  if (token === null && !needsToken.value) return null;
  const who = token === null ? null : subjectOf(token);
  return (
    <section class="field">
      <h3>{words.section}</h3>
      <p>{token === null ? words.signedOut : who === null ? words.withToken : words.as(who)}</p>
      <div class="chips">
        <button type="button" aria-haspopup="dialog" onClick={ask}>{token === null ? words.signIn : words.other}</button>
        {token !== null && (
          <button type="button" aria-describedby="sign-out-hint" onClick={signOut}>{words.signOut}</button>
        )}
      </div>
      {token !== null && <p id="sign-out-hint">{words.signOutHint}</p>}
    </section>
  );
}
