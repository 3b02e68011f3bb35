// What was deleted a moment ago and can be had back, floating over the page. Nothing can be deleted yet.

export function UndoBar() {
  return null;
}
