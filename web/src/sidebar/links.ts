// Links that the page follows itself, and leaves to the browser where a tab or a window is wanted.

export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}
