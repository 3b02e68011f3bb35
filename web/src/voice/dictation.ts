// Dictation, by the browser's own speech recognition. The types of the standard library do not know it.

import { signal } from '@preact/signals';

interface Recognition {
  continuous: boolean;
  interimResults: boolean;
  lang: string;
  onresult: ((event: { resultIndex: number; results: RecognitionResults }) => void) | null;
  onerror: ((event: { error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  stop(): void;
}
type RecognitionResults = ArrayLike<ArrayLike<{ transcript: string }> & { isFinal: boolean }>;

const found = globalThis as { SpeechRecognition?: new () => Recognition; webkitSpeechRecognition?: new () => Recognition };
const Maker = found.SpeechRecognition ?? found.webkitSpeechRecognition;

/** Whether the browser can. */
export const canDictate = Maker !== undefined;

/** Whether it listens. */
export const listening = signal(false);

let current: Recognition | null = null;

/** Begins to listen; `heard` gets each phrase, `failed` the reason of an end that was not asked for. */
export function dictate(heard: (phrase: string) => void, failed: (reason: string) => void): void {
  if (Maker === undefined) return;
  const recognition = new Maker();
  recognition.continuous = true;
  recognition.interimResults = false;
  recognition.lang = document.documentElement.lang;
  recognition.onresult = ({ resultIndex, results }) => {
    for (let index = resultIndex; index < results.length; index += 1) {
      const phrase = results[index]?.[0]?.transcript.trim();
      if (phrase !== undefined && phrase !== '') heard(phrase);
    }
  };
  recognition.onerror = ({ error }) => failed(error);
  recognition.onend = () => {
    listening.value = false;
    current = null;
  };
  current = recognition;
  listening.value = true;
  recognition.start();
}

export function stopDictating(): void {
  current?.stop();
}
