// A calm strip that says that somebody has to sign in, for as long as that is so, and a way to do it.

import { strings } from '../strings';
import { ask, needsToken, whyAsked } from './asking';

export function SignInStrip() {
  if (!needsToken.value) return null;
  return (
    <div class="strip" data-strip="access">
      <p><strong>{whyAsked.value}</strong> {strings.access.waits}</p>
      <button type="button" aria-haspopup="dialog" onClick={ask}>{strings.access.signIn}</button>
    </div>
  );
}
