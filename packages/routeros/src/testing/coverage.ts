/** Which code has run: V8's own block coverage, asked for while the process goes on. */
import { Session } from "node:inspector/promises";

/** Offsets of a source that ran: a byte for each character, 1 where it did. */
type Marks = Uint8Array;

/**
 * Coverage of the sources whose address contains `part`. Blocks are told apart by their characters: what V8 reports
 * as one block now and as two later is the same code.
 */
export class BlockCoverage implements AsyncDisposable {
  readonly #session = new Session();
  readonly #part: string;
  readonly #ran = new Map<string, Marks>();

  private constructor(part: string) {
    this.#part = part;
  }

  static async start(part: string): Promise<BlockCoverage> {
    const coverage = new BlockCoverage(part);
    coverage.#session.connect();
    await coverage.#session.post("Profiler.enable");
    await coverage.#session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
    return coverage;
  }

  /** Characters of code that have run so far. */
  get size(): number {
    return [...this.#ran.values()].reduce((sum, marks) => sum + count(marks), 0);
  }

  /** What has run since the last time this was asked, by source. */
  async take(): Promise<Map<string, Marks>> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    const ran = new Map<string, Marks>();
    for (const { url, functions } of result) {
      if (!url.includes(this.#part) || url.includes("/testing/")) continue;
      const ends = functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset));
      const marks: Marks = new Uint8Array(Math.max(0, ...ends));
      // Functions come outermost first, and so do the ranges in one: the innermost has the last word.
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count: times } of ranges)
          marks.fill(times > 0 ? 1 : 0, startOffset, endOffset);
      ran.set(url, marks);
    }
    return ran;
  }

  /** How much of it had never run before. */
  news(ran: ReadonlyMap<string, Marks>): number {
    let news = 0;
    for (const [url, marks] of ran) {
      const known = this.#ran.get(url);
      marks.forEach((ranNow, at) => {
        if (ranNow === 1 && known?.[at] !== 1) news += 1;
      });
    }
    return news;
  }

  /** From now on it is no news. */
  learn(ran: ReadonlyMap<string, Marks>): void {
    for (const [url, marks] of ran) {
      const known = this.#ran.get(url) ?? new Uint8Array(marks.length);
      const all = new Uint8Array(Math.max(known.length, marks.length));
      all.set(known);
      marks.forEach((ranNow, at) => {
        if (ranNow === 1) all[at] = 1;
      });
      this.#ran.set(url, all);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }
}

function count(marks: Marks): number {
  return marks.reduce((sum, ran) => sum + ran, 0);
}
