// What can be done with something that was said, in the row under it. An answer can be copied;
// for the user's own messages there is nothing yet.

import type { Answer, Said } from '../state';
import { textOf } from '../state/answer';
import { CopyButton } from './CopyButton';

export function AnswerActions({ answer }: { answer: Answer }) {
  const text = textOf(answer);
  return text === '' ? null : <CopyButton text={text} />;
}

export function SaidActions(_: { said: Said }) {
  return null;
}
