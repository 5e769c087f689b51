import type { Random } from "./mutate.ts";

/** Something that takes inputs. */
export interface Target {
  /** What the first inputs are made from. */
  readonly seeds: readonly Buffer[];
  /**
   * Try an input, returning what became of it, such as `stream refused`; many of each have to be, or nothing was tested.
   * @throws what breaks a promise
   */
  readonly check: (bytes: Buffer, random: Random) => Promise<string> | string;
}
