/**
 * Runs one task for its keys. Level-triggered: a wake carries nothing but the key, wakes during a run make one more
 * run, and every period is the retry.
 *
 * A key is known (and has its turn in the heap), queued in one of three lanes, or running. Woken keys go first, then
 * those whose turn it is; those that did not answer the last time share a quarter of the slots, whatever brought them.
 * Keys of a leased task are known only while their bucket is ours: they are listed when it is gained, again from time
 * to time, and forgotten when it is lost. For each key it keeps about 200 bytes and no timer.
 */
import type { Logger } from "pino";
import { bucketOf, holding, type Leases } from "../database/index.ts";
import { type Due, DueHeap } from "./due-heap.ts";
import { nextTurn, phaseOf } from "./slots.ts";
import type { LeasedTask, OwnTask, Status, Task, TaskStatus } from "./types.ts";

/** Keys that are new here have their first run within this time, or a period if that is shorter, milliseconds. */
const FIRST_RUNS_MS = 1_000;
/** After a list that could not be read. */
const LIST_RETRY_MS = 1_000;
const LIST_PERIODS = 10;
/** A key whose lease was lost under its run and gained again, milliseconds. */
const LOST_RETRY_MS = 100;
/** A timer's longest wait: Node takes none beyond 2^31 - 1 ms. */
const MAX_WAIT_MS = 2 ** 31 - 1;

type Lane = "woken" | "due" | "unanswered";

interface Entry extends Due {
  readonly key: string;
  /** 0 for a task that is not leased. */
  readonly bucket: number;
  lane: Lane | undefined;
  isRunning: boolean;
  /** Woken during its run. */
  isAgain: boolean;
  /** New here, or woken since the last run began that came to its end. */
  isWoken: boolean;
  isUnanswered: boolean;
  /** Another name it can be woken by while it waits. */
  wakeKey: string | undefined;
}

export interface TaskRunnerOptions {
  /** Needed by a leased task. */
  readonly leases?: Pick<Leases, "watch" | "held" | "holds" | "claim" | "problem"> | undefined;
  readonly log: Logger;
}

export class TaskRunner {
  readonly #task: Task;
  readonly #options: TaskRunnerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new DueHeap<Entry>();
  readonly #lanes: Readonly<Record<Lane, Set<Entry>>> = {
    woken: new Set(),
    due: new Set(),
    unanswered: new Set(),
  };
  /** Keys that wait for another one's wake. */
  readonly #waiting = new Map<string, string>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #counts = { done: 0, failed: 0, unanswered: 0, waiting: 0, ended: 0 };
  /** Buckets whose keys are to be listed; a task that is not leased has one. */
  readonly #unlisted = new Set<number>();
  /** Buckets in the order in which they are listed again. */
  #rounds: number[] = [];
  #unansweredRuns = 0;
  #listing: Promise<void> | undefined;
  #turnTimer: NodeJS.Timeout | undefined;
  #listTimer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #problem: string | undefined = "has not started yet";

  constructor(task: Task, options: TaskRunnerOptions) {
    this.#task = task;
    this.#options = options;
  }

  start(): void {
    this.#listTimer = setInterval(() => this.#listAgain(), this.#task.periodMs);
    if (this.#task.claim === "bucket") {
      this.#unwatch = this.#options.leases?.watch({
        gained: (buckets) => this.#list(buckets),
        lost: (buckets) => this.#forget(new Set(buckets)),
      });
    }
    // There may be no bucket for us yet; the database is asked all the same.
    if (!this.#listing) this.#list(this.#buckets());
  }

  /** Run this key, or the one that waits for this wake, soon: at once when idle, once more when running. */
  wake(key: string): void {
    if (this.#stopping.signal.aborted) return;
    const entry = this.#know(this.#waiting.get(key) ?? key);
    if (!entry) return; // another process holds its bucket and was told too
    entry.isWoken = true;
    if (entry.isRunning) entry.isAgain = true;
    else this.#queue(entry, "woken");
    this.#next();
  }

  /** Wakes may have been missed: list everything again, and run it. */
  wakeAll(): void {
    for (const entry of this.#entries.values()) {
      entry.isWoken = true;
      this.#soon(entry);
    }
    this.#list(this.#buckets());
  }

  /** Why it does not work at the moment; undefined when it does. */
  get problem(): string | undefined {
    const leases = this.#task.claim === "bucket" ? this.#options.leases?.problem : undefined;
    return leases ?? this.#problem;
  }

  get status(): TaskStatus {
    return {
      name: this.#task.name,
      keys: this.#entries.size,
      running: this.#running.size,
      queued: Object.values(this.#lanes).reduce((sum, lane) => sum + lane.size, 0),
      runs: { ...this.#counts },
      problem: this.problem,
    };
  }

  /** Abort what runs and wait for it to end. Safe twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unwatch?.();
    clearInterval(this.#listTimer);
    clearTimeout(this.#turnTimer);
    await this.#listing;
    await Promise.all(this.#running);
    clearTimeout(this.#turnTimer);
  }

  /** @returns undefined when its bucket is not ours */
  #know(key: string): Entry | undefined {
    const known = this.#entries.get(key);
    if (known) return known;
    const bucket = this.#task.claim === "bucket" ? bucketOf(key) : 0;
    if (this.#task.claim === "bucket" && !this.#options.leases?.holds(bucket)) return undefined;
    const state = {
      lane: undefined,
      isRunning: false,
      isAgain: false,
      isWoken: true,
      isUnanswered: false,
      wakeKey: undefined,
    };
    const entry: Entry = { key, bucket, dueAt: 0, place: -1, ...state };
    this.#entries.set(key, entry);
    return entry;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#awaitWake(entry, undefined);
    this.#turns.remove(entry);
    if (entry.lane) this.#lanes[entry.lane].delete(entry);
    entry.lane = undefined;
  }

  #forget(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) this.#unlisted.delete(bucket);
    // A run that is being aborted keeps its entry, so that no second one begins beside it.
    for (const entry of this.#entries.values())
      if (buckets.has(entry.bucket) && !entry.isRunning) this.#drop(entry);
  }

  #buckets(): readonly number[] {
    return this.#task.claim === "none" ? [0] : (this.#options.leases?.held() ?? []);
  }

  /** A few buckets each period, so that no period reads every key. */
  #listAgain(): void {
    const buckets = this.#buckets();
    const share = Math.ceil(buckets.length / (this.#task.listPeriods ?? LIST_PERIODS));
    if (this.#rounds.length === 0) this.#rounds = [...buckets];
    const held = new Set(buckets);
    this.#list(this.#rounds.splice(0, share).filter((bucket) => held.has(bucket)));
  }

  #list(buckets: readonly number[]): void {
    for (const bucket of buckets) this.#unlisted.add(bucket);
    if (this.#stopping.signal.aborted) return;
    this.#listing ??= this.#listUnlisted().finally(() => {
      this.#listing = undefined;
    });
  }

  async #listUnlisted(): Promise<void> {
    do {
      const buckets = [...this.#unlisted];
      this.#unlisted.clear();
      try {
        const task = this.#task;
        const keys = await (task.claim === "none" ? task.list() : task.list(buckets));
        this.#problem = undefined;
        for (const key of keys) this.#add(key);
      } catch (error) {
        this.#problem = "could not list what there is to do";
        this.#options.log.error({ err: error, task: this.#task.name }, "could not list what there is to do");
        for (const bucket of buckets) this.#unlisted.add(bucket);
        setTimeout(() => this.#list([]), LIST_RETRY_MS).unref();
        return;
      }
    } while (this.#unlisted.size > 0 && !this.#stopping.signal.aborted);
  }

  #add(key: string): void {
    const isKnown = this.#entries.has(key);
    const entry = this.#know(key);
    if (entry && !isKnown) this.#soon(entry);
  }

  /** Not all at once, when there are many. */
  #soon(entry: Entry): void {
    if (entry.lane || entry.isRunning) return;
    const within =
      this.#entries.size <= this.#task.concurrency ? 0 : Math.min(FIRST_RUNS_MS, this.#task.periodMs);
    this.#turn(entry, Date.now() + Math.random() * within);
  }

  #turn(entry: Entry, at: number): void {
    this.#turns.put(entry, performance.now() + Math.max(0, at - Date.now()));
    if (this.#turns.first() === entry) this.#setTimer();
  }

  #setTimer(): void {
    clearTimeout(this.#turnTimer);
    const first = this.#turns.first();
    if (!first || this.#stopping.signal.aborted) return;
    const wait = Math.min(MAX_WAIT_MS, Math.max(0, first.dueAt - performance.now()));
    this.#turnTimer = setTimeout(() => this.#takeTurns(), wait);
  }

  #takeTurns(): void {
    const now = performance.now();
    for (let entry = this.#turns.first(); entry && entry.dueAt <= now; entry = this.#turns.first())
      this.#queue(entry, "due");
    this.#setTimer();
    this.#next();
  }

  #queue(entry: Entry, wanted: Lane): void {
    this.#turns.remove(entry);
    if (entry.lane) this.#lanes[entry.lane].delete(entry);
    entry.lane = entry.isUnanswered ? "unanswered" : wanted;
    this.#lanes[entry.lane].add(entry);
  }

  #next(): void {
    while (this.#running.size < this.#task.concurrency && !this.#stopping.signal.aborted) {
      const entry = this.#pick();
      if (!entry) return;
      this.#begin(entry);
    }
  }

  #pick(): Entry | undefined {
    const [first] = this.#lanes.woken.size > 0 ? this.#lanes.woken : this.#lanes.due;
    if (first) return first;
    const [unanswered] = this.#lanes.unanswered;
    return this.#unansweredRuns < Math.max(1, this.#task.concurrency / 4) ? unanswered : undefined;
  }

  #begin(entry: Entry): void {
    const isUnanswered = entry.lane === "unanswered";
    if (entry.lane) this.#lanes[entry.lane].delete(entry);
    const { isWoken } = entry;
    Object.assign(entry, { lane: undefined, isRunning: true, isAgain: false, isWoken: false });
    this.#awaitWake(entry, undefined);
    if (isUnanswered) this.#unansweredRuns++;
    const startedAt = Date.now();
    const run = this.#run(entry, isWoken).then((status) => {
      this.#running.delete(run);
      if (isUnanswered) this.#unansweredRuns--;
      this.#ended(entry, startedAt, status);
      this.#next();
    });
    this.#running.add(run);
  }

  /** @returns undefined when the bucket is no longer ours */
  async #run(entry: Entry, isWoken: boolean): Promise<Status | undefined> {
    const { log } = this.#options;
    try {
      return await (this.#task.claim === "none"
        ? this.#runOwn(this.#task, entry)
        : this.#runLeased(this.#task, entry, isWoken));
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        log.error({ err: error, task: this.#task.name, key: entry.key }, "a background run failed");
      return { state: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #runOwn(task: OwnTask, { key }: Entry): Promise<Status> {
    return task.run(key, this.#stopping.signal);
  }

  async #runLeased(task: LeasedTask, { key }: Entry, isWoken: boolean): Promise<Status | undefined> {
    using lease = this.#options.leases?.claim(key);
    if (!lease) return undefined;
    const signal = AbortSignal.any([this.#stopping.signal, lease.lost]);
    try {
      const status = await holding(lease, () => task.run(key, signal, lease, isWoken));
      return lease.lost.aborted ? undefined : status;
    } catch (error) {
      if (lease.lost.aborted) return undefined; // the next holder's business
      throw error;
    }
  }

  #ended(entry: Entry, startedAt: number, status: Status | undefined): void {
    entry.isRunning = false;
    // What it was woken for is not done yet.
    if (status?.state !== "done") entry.isWoken = true;
    if (status) this.#counts[status.state]++;
    entry.isUnanswered = status?.state === "unanswered";
    const isOurs = this.#task.claim === "none" || this.#options.leases?.holds(entry.bucket) === true;
    if (!isOurs) this.#drop(entry);
    else if (!status) this.#turn(entry, Date.now() + LOST_RETRY_MS);
    else if (entry.isAgain) this.#queue(entry, "woken");
    else if (status.state === "ended") this.#drop(entry);
    else if (status.state === "waiting") {
      this.#awaitWake(entry, status.wakeKey);
      this.#turn(entry, status.until.getTime());
    } else this.#turn(entry, nextTurn(startedAt, this.#task.periodMs, phaseOf(entry.key)));
  }

  #awaitWake(entry: Entry, wakeKey: string | undefined): void {
    if (entry.wakeKey !== undefined) this.#waiting.delete(entry.wakeKey);
    entry.wakeKey = wakeKey;
    if (wakeKey !== undefined) this.#waiting.set(wakeKey, entry.key);
  }
}
