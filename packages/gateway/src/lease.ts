import { type Clock, Deadline } from "./clock.ts";

export interface LeaseTimes {
  /** How long the lease lasts that the control plane renews; without one no connection begins. Milliseconds. */
  readonly leaseMs: number;
  /** How long after its end live connections go on. Milliseconds. */
  readonly graceMs: number;
}

/** An API that restarts within a minute cuts nobody. */
export const leaseTimes: LeaseTimes = { leaseMs: 15_000, graceMs: 60_000 };

/** The control plane's word that our grants still stand, good for some seconds. */
export class Lease {
  readonly #clock: Clock;
  readonly #times: LeaseTimes;
  #begins: Deadline;
  #carries: Deadline;

  constructor(clock: Clock, times: LeaseTimes) {
    this.#clock = clock;
    this.#times = times;
    this.#begins = new Deadline(clock, 0);
    this.#carries = new Deadline(clock, 0);
  }

  /** @param askedAtMs our monotonic time when it was asked for: the answer may have been long on its way */
  renew(askedAtMs: number): void {
    const left = this.#times.leaseMs - (this.#clock.monotonicMs() - askedAtMs);
    this.#begins = new Deadline(this.#clock, left);
    this.#carries = new Deadline(this.#clock, left + this.#times.graceMs);
  }

  /** Whether new connections may begin. */
  get beginsConnections(): boolean {
    return !this.#begins.passed;
  }

  /** Whether live connections may go on. */
  get carries(): boolean {
    return !this.#carries.passed;
  }
}
