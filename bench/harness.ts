/** Measuring side by side: what a benchmark returns, interleaved rounds, and worker processes that do as they are told. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** One figure beside the baseline of the same run. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: string;
  readonly baselineValue: number;
  /** Which way is good. */
  readonly better: "higher" | "lower";
}

export interface BenchmarkContext {
  /** Aborted when the run is to end early: every worker is then killed. */
  readonly signal: AbortSignal;
  /** Directory that takes a CPU profile of every worker. */
  readonly profileDir?: string | undefined;
  /** Routers of the benchmark `fleet`. */
  readonly sites?: number | undefined;
}

export type Benchmark = (context: BenchmarkContext) => Promise<Measurement[]>;

/** Figures of one round by name. */
type Sample = Readonly<Record<string, number>>;

/**
 * Let the contenders take turns (A B A B …) and return each one's median figures. What else the machine does then
 * hits all of them alike.
 * @param options.warmUp first turns of each that do not count: code is compiled in them
 * @param options.share another quantile than the median
 */
export async function interleave<Contender extends string, S extends Sample>(
  rounds: number,
  contenders: Readonly<Record<Contender, () => Promise<S>>>,
  { warmUp = 1, share = 0.5 } = {},
): Promise<Record<Contender, S>> {
  const samples = new Map<string, S[]>();
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const [name, run] of Object.entries<() => Promise<S>>(contenders)) {
      const sample = await run();
      if (round >= warmUp) samples.set(name, [...(samples.get(name) ?? []), sample]);
    }
  }
  const figures = [...samples].map(([name, taken]) => [name, quantileSample(taken, share)]);
  return Object.fromEntries(figures) as Record<Contender, S>;
}

function quantileSample<S extends Sample>(taken: readonly S[], share: number): S {
  const sorted = (name: string) => taken.map((one) => one[name] ?? 0).toSorted((a, b) => a - b);
  const names = Object.keys(taken[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, quantile(sorted(name), share)])) as S;
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Long enough for the slowest round on a loaded machine; a worker that is silent for longer will never answer. */
const ANSWER_TIMEOUT_MS = 60_000;

/** A process of its own, so that no contender sees another's heap, caches or compiled code. */
export class Worker implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #name: string;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#process = child;
  }

  /** @param name a file of `workers/` without its ending */
  static async start(name: string, { signal, profileDir }: BenchmarkContext): Promise<Worker> {
    const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
    const child = fork(new URL(`workers/${name}.ts`, import.meta.url), {
      execArgv: ["--conditions=@portreeve/source", "--expose-gc", ...profile],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      signal,
    });
    child.on("error", () => {});
    const worker = new Worker(name, child);
    await worker.ask("ready");
    return worker;
  }

  /** Have the worker do a task it knows, one at a time. @throws its error, or that it died or is silent */
  async ask<T>(task: string, input: unknown = undefined, withinMs = ANSWER_TIMEOUT_MS): Promise<T> {
    const answer = this.#answer(withinMs);
    this.#process.send({ task, input });
    const { value, error } = await answer;
    if (error !== undefined) throw new Error(`${this.#name} could not ${task}: ${error}`);
    return value as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#process.disconnect();
    await once(this.#process, "exit");
  }

  get #isGone(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async #answer(withinMs: number): Promise<{ value?: unknown; error?: string }> {
    if (this.#isGone) return { error: "it has died" };
    const finished = new AbortController();
    const signal = AbortSignal.any([finished.signal, AbortSignal.timeout(withinMs)]);
    const message = once(this.#process, "message", { signal }).then(([answer]) => answer);
    const exit = once(this.#process, "exit", { signal }).then(() => ({ error: "it died" }));
    try {
      return await Promise.race([message, exit]);
    } catch {
      return { error: "no answer" };
    } finally {
      finished.abort();
    }
  }
}
