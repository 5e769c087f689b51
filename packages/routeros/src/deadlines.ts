/**
 * The deadlines of many commands on one timer: a timer of its own for each would cost a short command more than its
 * encoding does. The timer is armed for the earliest deadline there was and left alone when that command ends before,
 * so that with one deadline for all it is armed once in that time and not once per command.
 */

/** The longest delay a Node timer keeps, ms; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Deadlines {
  readonly #sweep: (now: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;

  /** @param sweep ends what is due at `now` and returns the earliest deadline left, Infinity for none */
  constructor(sweep: (now: number) => number) {
    this.#sweep = sweep;
  }

  /** Sweep at `deadline` (on the clock of `performance.now()`, ms) or before. */
  add(deadline: number): void {
    if (!(deadline >= this.#wakeAt)) this.#arm(deadline);
  }

  /** Forget all of them. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }

  #arm(deadline: number): void {
    clearTimeout(this.#timer);
    this.#wakeAt = deadline;
    const delay = Math.max(1, Math.ceil(deadline - performance.now()));
    // The socket keeps the process alive while anybody waits; a deadline nobody waits for any more must not.
    this.#timer = setTimeout(this.#wake, Math.min(delay, MAX_TIMER_MS)).unref();
  }

  #wake = (): void => {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.add(this.#sweep(performance.now()));
  };
}
