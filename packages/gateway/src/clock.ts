/** Time, as a parameter: a test moves either clock by itself. */
export interface Clock {
  /** Never goes back; on Linux it stands still while the host is suspended. Milliseconds. */
  monotonicMs(): number;
  /** Goes on while the host is suspended; somebody may set it. Milliseconds since 1970. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * A moment on both clocks, passed as soon as either has reached it: a suspended host stops the monotonic clock, and a
 * wall clock that is set back would give time away. It can only be brought nearer.
 */
export class Deadline {
  readonly #clock: Clock;
  #monotonicMs: number;
  #wallMs: number;

  constructor(clock: Clock, leftMs: number) {
    this.#clock = clock;
    this.#monotonicMs = clock.monotonicMs() + leftMs;
    this.#wallMs = clock.wallMs() + leftMs;
  }

  /** Until the nearer of the two; negative once it has passed. */
  get leftMs(): number {
    return Math.min(this.#monotonicMs - this.#clock.monotonicMs(), this.#wallMs - this.#clock.wallMs());
  }

  get passed(): boolean {
    return this.leftMs <= 0;
  }

  /** Bring it nearer; a later moment changes nothing. */
  shorten(leftMs: number): void {
    this.#monotonicMs = Math.min(this.#monotonicMs, this.#clock.monotonicMs() + leftMs);
    this.#wallMs = Math.min(this.#wallMs, this.#clock.wallMs() + leftMs);
  }
}
