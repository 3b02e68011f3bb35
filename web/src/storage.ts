// What the page keeps in the storage of its tab. Where that is full, or forbidden by the browser's settings, it is
// kept in memory until the page is left: nothing that was put away is missed, and no older value comes back.

/** What the tab's storage did not take. */
const inMemory = new Map<string, string>();

export const tabStorage = {
  get(key: string): string | null {
    return inMemory.get(key) ?? tabStorage.lasting(key);
  },

  /** What is still there when the page has been left. */
  lasting(key: string): string | null {
    return tried(() => sessionStorage.getItem(key)) ?? null;
  },

  /** Keeps a text; `null` for nothing. Answers whether it outlives the page. */
  set(key: string, text: string | null): boolean {
    const isTaken = tried(() => {
      if (text === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, text);
      return true;
    });
    if (isTaken || text === null) inMemory.delete(key);
    else inMemory.set(key, text);
    return isTaken === true;
  },

  keys(): string[] {
    const lasting = tried(() => Array.from({ length: sessionStorage.length }, (_, at) => sessionStorage.key(at) ?? ''));
    return [...new Set([...inMemory.keys(), ...(lasting ?? [])])];
  },
};

/** What cannot be done gives nothing. */
function tried<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}
