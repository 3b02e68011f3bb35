// Hands a file that the page holds to the browser, as a download.

/** How long the browser has to take it, in milliseconds. */
const TAKEN_AFTER_MS = 60_000;

export function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), TAKEN_AFTER_MS);
}

/** The name in a `Content-Disposition`, where there is one. */
export function nameIn(disposition: string | null): string | undefined {
  return /filename="([^"]+)"/.exec(disposition ?? '')?.[1];
}
