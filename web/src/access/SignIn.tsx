// The dialog that asks for an access token. Loaded when it is first needed. It can be put off: a strip then says
// what is the matter, and whatever asked for a token waits.

import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../announce';
import { ApiError } from '../api';
import { strings } from '../strings';
import { Dialog } from '../ui/Dialog';
import { askLater, needsToken, whyAsked } from './asking';
import { signIn } from './sign';
import { tokenIn } from './token';

const words = strings.access;

export function SignIn() {
  const input = useRef<HTMLInputElement>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [trying, setTrying] = useState(false);

  // The strip's button that opened it may be gone by then, and would leave the focus nowhere.
  useEffect(() => () => void setTimeout(() => {
    if (document.activeElement === document.body) document.getElementById('message')?.focus();
  }), []);

  const complain = (why: string) => {
    setTrouble(why);
    input.current?.focus();
    input.current?.select();
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (trying) return;
    const token = tokenIn(input.current?.value ?? '');
    if (token === null) return complain(words.noToken);
    setTrying(true);
    setTrouble(null);
    try {
      await signIn(token);
      announce(words.signedIn);
    } catch (error) {
      complain(reasonOf(error));
    }
    setTrying(false);
  };
  return (
    <Dialog title={words.title} onClose={askLater}>
      <form class="field last sign-in" onSubmit={(event) => void submit(event)}>
        <p>{needsToken.value ? whyAsked.value : words.asked}</p>
        <p id="token-hint">{words.what} {words.kept}</p>
        <label for="token">{words.label}</label>
        <div class="entry">
          <input
            ref={input}
            id="token"
            type="password"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            autoFocus
            aria-describedby={trouble === null ? 'token-hint' : 'token-trouble'}
            aria-invalid={trouble !== null}
          />
          <button type="submit" class="primary" aria-disabled={trying}>{trying ? words.trying : words.signIn}</button>
        </div>
        {/* There before it says anything: only then is it heard. */}
        <p id="token-trouble" class="bad" role="alert">{trouble}</p>
        <button type="button" class="quiet" onClick={askLater}>{words.later}</button>
      </form>
    </Dialog>
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return words.notTried(String(error));
  if (error.status === 401) return words.refused(error.message);
  return error.status === 403 ? error.message : words.notTried(error.message);
}
