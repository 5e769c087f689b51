import type { Clock } from "./clock.ts";

/**
 * What the database's clock shows now, without asking it. A reading was taken between the moment it was asked for and
 * the moment it came, so at the latter the database's time was at least the reading. The highest of these lower bounds
 * is what we count by: an answer that lay in a stopped process gives a low one, and a clock that is set back gives none.
 */
export class DatabaseClock {
  readonly #clock: Clock;
  /** Database time minus our monotonic time: the highest that is certain. */
  #highest: number;
  /** The same by the last reading: at most so much. */
  #lastAtMost: number | undefined;

  /** @param highestMs the highest database time known from an earlier life; 0 when none is */
  constructor(clock: Clock, highestMs: number) {
    this.#clock = clock;
    this.#highest = highestMs - clock.monotonicMs();
  }

  /** A reading has come. @param askedAtMs our monotonic time when it was asked for */
  observe(askedAtMs: number, databaseTimeMs: number): void {
    this.#highest = Math.max(this.#highest, databaseTimeMs - this.#clock.monotonicMs());
    this.#lastAtMost = databaseTimeMs - askedAtMs;
  }

  /** Whether it has been read in this life. */
  get isKnown(): boolean {
    return this.#lastAtMost !== undefined;
  }

  /** The highest time the database has shown, carried on: a clock that is set back does not change it. */
  get highestMs(): number {
    return this.#clock.monotonicMs() + this.#highest;
  }

  /** What it shows now: the same, unless the last reading proves that it was set back. */
  get currentMs(): number {
    const offset = Math.min(this.#highest, this.#lastAtMost ?? this.#highest);
    return this.#clock.monotonicMs() + offset;
  }
}
