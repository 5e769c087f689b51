/** When a key has its turn. Pure. */

/**
 * A key's place in the period, from 0 to 1: evenly spread over the keys, and the same in every process, so that a key
 * that moves from one process to another keeps its turn.
 */
export function phaseOf(key: string): number {
  // FNV-1a: cheap, and even enough for a place in time.
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/**
 * The key's first turn that is at least half a period after `startedAt`, the start of its last run: a run that was
 * woken shortly before a turn stands for it.
 * @param startedAt milliseconds since 1970; the result as well
 */
export function nextTurn(startedAt: number, periodMs: number, phase: number): number {
  const earliest = startedAt + periodMs / 2;
  const periods = Math.ceil((earliest - phase * periodMs) / periodMs);
  return (periods + phase) * periodMs;
}
