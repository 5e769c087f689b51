import type { Caller } from "./caller.ts";
import { formatTime } from "./clock.ts";
import { runImport } from "./import.ts";
import type { ScriptRunner } from "./menus/scripts.ts";
import { Refusal } from "./refusal.ts";
import { ScriptSyntaxError } from "./script/errors.ts";
import type { ScriptHost } from "./script/host.ts";
import { Interpreter } from "./script/interpreter.ts";
import { scriptRefusal } from "./script/refused.ts";
import { Names } from "./script/scope.ts";
import { bytesOf, textOf } from "./script/text.ts";
import { formatId, type Item, rowOf } from "./table.ts";

/** Beyond this a router has other troubles; a script that starts scripts is stopped here. */
const MAX_JOBS = 200;

interface Job {
  readonly id: string;
  readonly values: Readonly<Record<string, string>>;
  readonly abort: AbortController;
  /** Waits for the router's clock. */
  waiting: boolean;
}

/** Scripts that run now. */
export class Jobs implements ScriptRunner {
  readonly #router: ScriptHost;
  readonly #jobs = new Map<string, Job>();
  #runs = new WeakMap<Item, { count: number; started: string }>();
  readonly #waitingForIdle = new Set<() => void>();
  #nextId = 1;

  constructor(router: ScriptHost) {
    this.#router = router;
  }

  /** Rows of `/system/script/job`. */
  get items(): readonly Item[] {
    return [...this.#jobs.values()].map(({ id, values }) => ({ id, values: rowOf(values), dynamic: true }));
  }

  runsOf(item: Item): { readonly count: number; readonly started?: string } {
    return this.#runs.get(item) ?? { count: 0 };
  }

  stop(id: string): void {
    this.#jobs.get(id)?.abort.abort();
  }

  /** A reboot ends every script and begins the counts anew. */
  forgetRam(): void {
    this.#runs = new WeakMap();
    for (const { abort } of this.#jobs.values()) abort.abort();
  }

  /** Run a script of `/system/script`. @returns what it printed */
  runItem(item: Item, caller: Caller, signal?: AbortSignal): Promise<string> {
    this.countRun(item);
    return this.run(item.values.source ?? "", caller, {
      ...(signal ? { signal } : {}),
      script: item.values.name ?? "",
    });
  }

  countRun(item: Item): void {
    const started = formatTime(this.#router.clock.now(), this.#router.features.isoDates);
    this.#runs.set(item, { count: this.runsOf(item).count + 1, started });
  }

  /** Begin a script and don't wait for it; a failure is logged. @returns the job's id */
  start(source: string, caller: Caller, finished?: (output: string) => void): string {
    const id = formatId(this.#nextId);
    this.run(source, caller)
      .then((output) => finished?.(output))
      .catch((error) => this.logFailure(id, error));
    return id;
  }

  /**
   * Two lines, the second with the reason. Source: manual, "Scheduler", log messages.
   * @param from who ran it: "scheduler:nightly"
   */
  logFailure(what: string, error: unknown, from = `script:${what}`): void {
    if (!(error instanceof Refusal)) {
      process.emitWarning(error instanceof Error ? error : String(error));
      return;
    }
    this.#router.log("script,error", `executing script ${what}`);
    this.#router.log("script,error,debug", `(${from}) ${error.message}`);
  }

  /**
   * Run a script to its end.
   * @returns what it printed, lines ended by LF
   * @throws Refusal with the words of what ended it
   */
  async run(
    source: string,
    caller: Caller,
    options: { readonly signal?: AbortSignal; readonly script?: string } = {},
  ): Promise<string> {
    return this.track(caller, options, async (run) => {
      await run.run(run.parse(bytesOf(source), new Names(undefined)));
      return textOf(run.output);
    });
  }

  isValid(source: string): boolean {
    const nobody = { username: undefined, policies: new Set<string>() };
    try {
      new Interpreter({ router: this.#router, caller: nobody }).parse(bytesOf(source));
      return true;
    } catch (error) {
      if (error instanceof ScriptSyntaxError) return false;
      throw error;
    }
  }

  importText(
    caller: Caller,
    text: string,
    options: { readonly signal?: AbortSignal; readonly dryRun?: boolean } = {},
  ): Promise<string> {
    const { dryRun = false, ...rest } = options;
    return this.track(caller, rest, (run) => runImport(run, text, dryRun));
  }

  /** Have `work` done as a job: it is listed, can be stopped, and time stands still for it. */
  async track<T>(
    caller: Caller,
    options: {
      readonly signal?: AbortSignal;
      readonly script?: string;
      readonly print?: (text: string) => void;
    },
    work: (run: Interpreter) => Promise<T>,
  ): Promise<T> {
    if (this.#jobs.size >= MAX_JOBS)
      throw new Refusal(`failure: the emulator does not do more than ${MAX_JOBS} jobs`);
    const job = this.#open(caller, options.script);
    const signals = options.signal ? [options.signal, job.abort.signal] : [job.abort.signal];
    const run = new Interpreter({
      router: this.#router,
      caller,
      signal: AbortSignal.any(signals),
      ...(options.print ? { print: options.print } : {}),
      ...(options.script ? { name: options.script } : {}),
      waiting: (waits) => {
        job.waiting = waits;
        this.#tellIdle();
      },
    });
    try {
      return await work(run);
    } catch (error) {
      throw scriptRefusal(error);
    } finally {
      this.#jobs.delete(job.id);
      this.#tellIdle();
    }
  }

  #open(caller: Caller, script = ""): Job {
    const { clock, features } = this.#router;
    const values = {
      script,
      owner: caller.username ?? "",
      policy: [...caller.policies].join(","),
      started: formatTime(clock.now(), features.isoDates),
      type: "command",
    };
    const job: Job = { id: formatId(this.#nextId++), values, abort: new AbortController(), waiting: false };
    this.#jobs.set(job.id, job);
    return job;
  }

  get #busy(): boolean {
    return [...this.#jobs.values()].some(({ waiting }) => !waiting);
  }

  #tellIdle(): void {
    if (this.#busy) return;
    for (const tell of this.#waitingForIdle) tell();
    this.#waitingForIdle.clear();
  }

  /** Resolves once every script has ended or waits for the clock; undefined when that is so already. */
  idle(): Promise<void> | undefined {
    if (!this.#busy) return undefined;
    // What follows from a script's end (a line in the log) happens before time continues.
    return new Promise((resolve) => this.#waitingForIdle.add(() => setImmediate(resolve)));
  }
}
