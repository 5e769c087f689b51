/**
 * What walks over one router may cost together. A router may be hostile: chains that jump twice each double the work
 * with every level. A unit is a rule tried or a range of addresses found: about half a microsecond.
 */
export class Budget {
  #left: number;

  constructor(units: number) {
    this.#left = units;
  }

  /** @throws TooLargeError */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new TooLargeError();
  }
}

export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
}
