import type { RefusalReason } from "./types.ts";

const WINDOW_MS = 60_000;

/** Sources remembered per grant: 1,024 × about 200 bytes. Beyond it, new sources go unreported for the minute. */
const MAX_REMEMBERED = 1_024;

/** Lets one report per source, reason and minute through, in bounded memory whatever the sources are. */
export class RefusalThrottle {
  /** When each source was reported; oldest first, since a key is only ever added at the end. */
  readonly #reportedAt = new Map<string, number>();
  readonly #nowMs: () => number;

  /** @param nowMs a clock that never goes back, milliseconds */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether this refusal is to be reported; if so it counts as reported. */
  lets(source: string, reason: RefusalReason): boolean {
    const now = this.#nowMs();
    for (const [key, at] of this.#reportedAt) {
      if (now - at < WINDOW_MS) break;
      this.#reportedAt.delete(key);
    }
    const key = `${reason} ${source}`;
    if (this.#reportedAt.has(key) || this.#reportedAt.size >= MAX_REMEMBERED) return false;
    this.#reportedAt.set(key, now);
    return true;
  }
}
