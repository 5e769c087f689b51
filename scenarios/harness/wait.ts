import { setTimeout as delay } from "node:timers/promises";

/** Between two looks, milliseconds. */
const POLL_MS = 20;

export interface WaitOptions {
  /** Give up after this long, milliseconds; 10 seconds unless given. */
  within?: number;
  /** What is waited for, in the words of the failure. */
  what?: string;
}

/**
 * Look until the condition holds. A condition that throws does not hold yet; its last error becomes the cause.
 * @returns what the condition answered, which is anything but false, null and undefined
 * @throws when it does not hold in time
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { within = 10_000, what = "the condition" }: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + within;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer !== false && answer !== null && answer !== undefined)
        return answer as NonNullable<Exclude<T, false>>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) {
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      throw new Error(`waited ${within} ms for ${what}${why}`, { cause });
    }
    await delay(POLL_MS);
  }
}
