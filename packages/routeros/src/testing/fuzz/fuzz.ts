/**
 * Fuzzing what reads a router's bytes and what writes scripts for it, guided by coverage: an input that made code run
 * that had not run before becomes one that others are made from. Input `n` of seed `s` is always the same.
 *
 * Held for every input: what its target checks, nothing but our own errors, and all of it within {@link HANG_MS}.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { Coverage, type Place } from "./coverage.ts";
import { mutate, type Random, randomFrom } from "./mutate.ts";
import type { Target } from "./target.ts";

/** Longer than any input may take, ms. */
const HANG_MS = 50;
/** Coverage is looked at after so many inputs: asking V8 takes as long as twenty of them. */
const BATCH = 1_000;

export interface FuzzResult {
  readonly inputs: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Inputs kept because they made new code run. */
  readonly kept: number;
  /** The share of the code that ran, 0 to 1, by file. */
  readonly coverage: Readonly<Record<string, number>>;
  /** Longest time one input took, the machine's other work included, ms. */
  readonly slowestMs: number;
}

/** What an input broke, and its bytes in hexadecimal. */
export class FuzzFailure extends Error {}

interface Input {
  readonly target: Target;
  readonly bytes: Buffer;
  /** Continues where the bytes were made, for what a target decides at random. */
  readonly random: Random;
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

/**
 * Try `inputs` inputs, in turn on each target.
 * @throws FuzzFailure the first that breaks a promise
 */
export async function fuzz({ inputs, seed, onProgress = () => {} }: FuzzOptions): Promise<FuzzResult> {
  await using coverage = await Coverage.start();
  // Loaded now, so that its code is counted in blocks.
  const { targets } = await import("./targets.ts");
  // Most inputs end in an error, most of whose cost is its stack.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const fuzzer = new Fuzzer(targets, seed, coverage);
    await fuzzer.begin();
    for (let done = 0; done < inputs; done += BATCH) {
      await fuzzer.batch(done, Math.min(BATCH, inputs - done));
      if (Math.floor(done / 100_000) !== Math.floor((done + BATCH) / 100_000)) onProgress(done + BATCH);
    }
    return { inputs, ...fuzzer.result, coverage: coverage.shares() };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

class Fuzzer {
  readonly #targets: readonly Target[];
  readonly #corpora: Map<Target, Buffer[]>;
  readonly #seed: number;
  readonly #coverage: Coverage;
  readonly #outcomes = new Map<string, number>();
  #kept = 0;
  #slowestMs = 0;

  constructor(targets: readonly Target[], seed: number, coverage: Coverage) {
    this.#targets = targets;
    this.#corpora = new Map(targets.map((target) => [target, [...target.seeds]]));
    this.#seed = seed;
    this.#coverage = coverage;
  }

  get result() {
    const outcomes = Object.fromEntries([...this.#outcomes].toSorted());
    return { outcomes, kept: this.#kept, slowestMs: this.#slowestMs };
  }

  /** Run what the inputs are made from, so that only what goes beyond is new. */
  async begin(): Promise<void> {
    for (const target of new Set(this.#targets)) {
      for (const bytes of target.seeds)
        await this.#check({ target, bytes, random: randomFrom(this.#seed, 0) });
    }
    await this.#coverage.take();
  }

  async batch(first: number, size: number): Promise<void> {
    for (let input = first; input < first + size; input++) await this.#try(input);
    // What was left for the next turn piles up until there is one.
    await nextTurn();
    const reached = await this.#coverage.take();
    if (reached.length === 0) return;
    const found = await this.#find(reached, first, size);
    const kept = found.map((input) => this.#make(input));
    for (const { target, bytes } of kept) this.#corpora.get(target)?.push(bytes);
    this.#kept += kept.length;
  }

  /** Inputs of a batch that reach the places, by running its halves again. */
  async #find(places: readonly Place[], first: number, size: number): Promise<number[]> {
    if (places.length === 0) return [];
    if (size === 1) return [first];
    const half = Math.ceil(size / 2);
    for (let input = first; input < first + half; input++) await this.#check(this.#make(input));
    await this.#coverage.take();
    const here = places.filter((place) => this.#coverage.ranLately(place));
    const there = places.filter((place) => !here.includes(place));
    const found = await this.#find(here, first, half);
    return [...found, ...(await this.#find(there, first + half, size - half))];
  }

  async #try(input: number): Promise<void> {
    const start = performance.now();
    const outcome = await this.#check(this.#make(input), input);
    let took = performance.now() - start;
    // Another process may have had the processor: what is really slow is slow every time.
    for (let again = 0; took > HANG_MS && again < 10; again++) {
      const start = performance.now();
      await this.#check(this.#make(input), input);
      took = performance.now() - start;
    }
    if (took > HANG_MS)
      throw this.#failure(`it takes more than ${HANG_MS} ms`, this.#make(input).bytes, input);
    this.#slowestMs = Math.max(this.#slowestMs, took);
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  async #check({ target, bytes, random }: Input, input?: number): Promise<string> {
    try {
      return await target.check(bytes, random);
    } catch (error) {
      throw this.#failure(error instanceof Error ? error.message : String(error), bytes, input, error);
    }
  }

  #failure(why: string, bytes: Uint8Array, input: number | undefined, cause?: unknown): FuzzFailure {
    const which = input === undefined ? "a seed or an input again" : `seed ${this.#seed}, input ${input}`;
    return new FuzzFailure(`${why} (${which}): ${Buffer.from(bytes).toString("hex")}`, { cause });
  }

  #make(input: number): Input {
    const target = this.#targets[input % this.#targets.length] as Target;
    const random = randomFrom(this.#seed, input);
    return { target, bytes: mutate(this.#corpora.get(target) ?? [], random), random };
  }
}
