// Dictation, beside the message box. `onText` gets the words that were recognized, to be put into the
// draft. Absent where the browser has no speech recognition, and so far everywhere.

export function VoiceButtons(_: { onText(text: string): void }) {
  return null;
}
