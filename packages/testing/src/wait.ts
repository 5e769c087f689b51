import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";

/** Longest pause between two looks, milliseconds; the first ones are shorter, for what is about to happen. */
const LONGEST_PAUSE_MS = 20;
/** Longest text of a condition or of a value in a failure, characters. */
const SHOWN_CHARACTERS = 2_000;

export interface WaitOptions {
  /** Give up after this long, milliseconds; 20 seconds unless given, which measure nothing but a test's patience. */
  within?: number;
  /** What is waited for, in the words of the failure; the condition's own text unless given. */
  what?: string;
  /** What the failure shows beside it: what there was instead. */
  seen?: () => unknown;
}

/**
 * Look until the condition holds. A condition that throws does not hold yet; its last error becomes the cause.
 * @returns what the condition answered, which is anything but false, null and undefined
 * @throws when it does not hold in time: what was waited for, and the last thing seen
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { within = 20_000, what, seen }: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const start = performance.now();
  for (let looks = 1; ; looks++) {
    let last: unknown;
    let cause: unknown;
    try {
      last = await condition();
      if (last !== false && last !== null && last !== undefined)
        return last as NonNullable<Exclude<T, false>>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() - start > within) {
      const shown = seen ? seen() : cause instanceof Error ? cause.message : (cause ?? last);
      const text = typeof shown === "string" ? shown : inspect(shown, { depth: 5, breakLength: Infinity });
      throw new Error(
        `waited ${within} ms for ${what ?? condition.toString().slice(0, SHOWN_CHARACTERS)}; ` +
          `last of ${looks} looks: ${text.slice(0, SHOWN_CHARACTERS)}`,
        { cause },
      );
    }
    await delay(Math.min(looks, LONGEST_PAUSE_MS));
  }
}
