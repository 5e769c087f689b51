/**
 * Which code has run, by V8's precise coverage: in blocks, not lines. Code that was loaded before `start` is counted by
 * whole functions only, so it has to be loaded after.
 */

import { Session } from "node:inspector/promises";

/** The package's own source. */
const SOURCE = /\/routeros\/src\/(?!testing\/)([a-z/-]+)\.ts$/;

/** One byte for each character of a file: 1 where it ran. */
type Marks = Uint8Array;

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** Where a piece of code begins that had not run before. */
export interface Place {
  readonly file: string;
  readonly offset: number;
}

export class Coverage implements AsyncDisposable {
  readonly #session = new Session();
  /** What has run since the start, what ran before the last `take`, and what lies inside of functions. */
  readonly #ever = new Map<string, Marks>();
  readonly #lately = new Map<string, Marks>();
  readonly #functions = new Map<string, Marks>();

  static async start(): Promise<Coverage> {
    const coverage = new Coverage();
    coverage.#session.connect();
    await coverage.#session.post("Profiler.enable");
    await coverage.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return coverage;
  }

  /** The code that has run since the last call and never before. */
  async take(): Promise<Place[]> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    this.#lately.clear();
    return result.flatMap((script) => this.#add(script));
  }

  /** Whether that code ran in what the last `take` told of. */
  ranLately({ file, offset }: Place): boolean {
    return this.#lately.get(file)?.[offset] === 1;
  }

  /** The share of all code inside of functions that has run, 0 to 1, by file. */
  shares(): Record<string, number> {
    const files = [...this.#functions].filter(([, marks]) => marks.includes(1)).toSorted();
    return Object.fromEntries(files.map(([file, marks]) => [file, this.#share(file, marks)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  #share(file: string, functions: Marks): number {
    const ever = this.#ever.get(file);
    let [all, ran] = [0, 0];
    functions.forEach((isInside, offset) => {
      all += isInside;
      ran += isInside & (ever?.[offset] ?? 0);
    });
    return ran / all;
  }

  #add({ url, functions }: ScriptCoverage): Place[] {
    const file = SOURCE.exec(url)?.[1];
    if (file === undefined) return [];
    const size = Math.max(...functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
    const lately = new Uint8Array(size);
    // Outer functions and ranges come before those inside of them, so the innermost has the last word.
    for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
      lately.fill(Math.min(count, 1), startOffset, endOffset);
    }
    const inside = marksOf(this.#functions, file, size);
    // The file as a whole is a function, too.
    for (const { ranges } of functions) {
      const [whole] = ranges;
      if (whole && whole.startOffset > 0) inside.fill(1, whole.startOffset, whole.endOffset);
    }
    this.#lately.set(file, lately);
    return addUp(file, marksOf(this.#ever, file, size), lately);
  }
}

/** The marks of a file, grown to a size. */
function marksOf(files: Map<string, Marks>, file: string, size: number): Marks {
  const known = files.get(file) ?? new Uint8Array();
  if (known.length >= size) return known;
  const marks = new Uint8Array(size);
  marks.set(known);
  files.set(file, marks);
  return marks;
}

function addUp(file: string, ever: Marks, lately: Marks): Place[] {
  const places: Place[] = [];
  let wasNew = false;
  for (let offset = 0; offset < lately.length; offset++) {
    const isNew = lately[offset] === 1 && ever[offset] === 0;
    if (isNew && !wasNew) places.push({ file, offset });
    if (isNew) ever[offset] = 1;
    wasNew = isNew;
  }
  return places;
}
