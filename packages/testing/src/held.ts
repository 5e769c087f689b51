/** What this test file holds beyond its process, by the words in which a leak is reported. */
const held = new Map<symbol, string>();

/**
 * Say that something was made that outlives the process, such as a database.
 * @param what in the words of the report
 * @returns call it when the thing is gone
 */
export function hold(what: string): () => void {
  const key = Symbol(what);
  held.set(key, what);
  return () => void held.delete(key);
}

/** Everything that was made and is not gone. */
export function everythingHeld(): string[] {
  return [...held.values()];
}
