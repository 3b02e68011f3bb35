// Dictation, beside the message box. `onText` gets the words that were recognized, to be put into the
// draft. Absent where the browser has no speech recognition.

import { useEffect } from 'preact/hooks';
import { announce } from '../announce';
import { strings } from '../strings';
import { canDictate, dictate, listening, stopDictating } from '../voice/dictation';

export function VoiceButtons({ onText }: { onText(text: string): void }) {
  // Nobody goes on listening for a draft that is not shown.
  useEffect(() => stopDictating, []);
  if (!canDictate) return null;
  const toggle = () => {
    if (listening.peek()) stopDictating();
    else dictate(onText, (reason) => announce(strings.voice.failed(reason)));
  };
  return (
    <button type="button" class="quiet" aria-pressed={listening.value} title={strings.voice.privacy} onClick={toggle}>
      {listening.value ? strings.voice.stopDictating : strings.voice.dictate}
    </button>
  );
}
