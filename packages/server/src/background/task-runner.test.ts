import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { expect, test } from "vitest";
import { bucketOf, type Lease, type LeaseListener } from "../database/index.ts";
import { TaskRunner } from "./task-runner.ts";
import type { LeasedTask, OwnTask, Status } from "./types.ts";

const log = pino({ level: "silent" });
const SOON = { timeout: 10_000, interval: 5 };
const DONE: Status = { state: "done" };

interface Run {
  readonly key: string;
  readonly signal: AbortSignal;
  end(status?: Status): void;
}

/** A task whose runs end when the test says so, or when they are aborted. */
function manual(options: Partial<OwnTask> = {}) {
  const runs: Run[] = [];
  const task: OwnTask = {
    name: "test",
    claim: "none",
    periodMs: 1_000_000,
    concurrency: 2,
    list: async () => [],
    run: (key, signal) => {
      const { promise, resolve } = Promise.withResolvers<Status>();
      signal.addEventListener("abort", () => resolve(DONE));
      runs.push({ key, signal, end: (status = DONE) => resolve(status) });
      return promise;
    },
    ...options,
  };
  const runner = new TaskRunner(task, { log });
  return { runner, runs, started: () => runs.map(({ key }) => key) };
}

/** A task whose runs end at once. */
function counting(options: Partial<OwnTask> = {}) {
  const started: { key: string; at: number }[] = [];
  const { runner } = manual({
    run: async (key) => {
      started.push({ key, at: performance.now() });
      return DONE;
    },
    ...options,
  });
  return { runner, started };
}

test("wakes that come during a run make exactly one more run", async () => {
  const { runner, runs, started } = manual();
  runner.wake("a");
  for (let i = 0; i < 5; i++) runner.wake("a");
  expect(started()).toEqual(["a"]);
  runs[0]?.end();
  await turn();
  expect(started()).toEqual(["a", "a"]);
  runs[1]?.end();
  await turn();
  expect(started()).toEqual(["a", "a"]);
  await runner.stop();
});

test("no more keys are at work than allowed, and a waiting one follows the first that ends", async () => {
  const { runner, runs, started } = manual();
  for (const key of ["a", "b", "c"]) runner.wake(key);
  expect(started()).toEqual(["a", "b"]);
  expect(runner.status).toMatchObject({ keys: 3, running: 2, queued: 1 });
  runs[1]?.end();
  await turn();
  expect(started()).toEqual(["a", "b", "c"]);
  await runner.stop();
});

test("what was woken goes before what has its turn", async () => {
  const { runner, runs, started } = manual({ concurrency: 1, list: async () => ["a", "b", "c"] });
  runner.start();
  await expect.poll(() => runner.status.queued, SOON).toBe(2);
  runner.wake("woken");
  runs[0]?.end();
  await turn();
  expect(started()[1]).toBe("woken");
  await runner.stop();
});

test("keys that did not answer share a quarter of the slots, and leave the others to whoever is woken", async () => {
  const { runner, runs, started } = manual({ concurrency: 4 });
  const silent = ["s1", "s2", "s3", "s4"];
  for (const key of silent) runner.wake(key);
  for (const run of runs) run.end({ state: "unanswered", reason: "no answer" });
  await turn();
  for (const key of silent) runner.wake(key);
  expect(started().slice(4)).toEqual(["s1"]);
  runner.wake("healthy");
  expect(started().slice(4)).toEqual(["s1", "healthy"]);
  runs[4]?.end(); // answers again: no longer one of them
  await turn();
  expect(started().slice(6)).toEqual(["s2"]);
  await runner.stop();
});

test("a run that fails does not keep the next one from happening", async () => {
  const failing = async () => {
    throw new Error("the database is away");
  };
  const { runner } = manual({ run: failing });
  runner.wake("a");
  await turn();
  runner.wake("a");
  await turn();
  expect(runner.status.runs.failed).toBe(2);
  await runner.stop();
});

test("each key has its turn once a period, and the turns are spread over it", async () => {
  const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`);
  const { runner, started } = counting({ periodMs: 1_000, concurrency: 8, list: async () => keys });
  runner.start();
  await expect.poll(() => started.length, SOON).toBeGreaterThanOrEqual(150);
  await runner.stop();
  const turns = keys.map((key) => started.filter((run) => run.key === key).map(({ at }) => at));
  for (const times of turns) {
    expect(times.length).toBeGreaterThanOrEqual(2);
    // From the second turn on there is a period between two, give or take a busy machine.
    const [second = 0, third] = times.slice(1);
    if (third !== undefined) expect(third - second).toBeGreaterThan(700);
  }
  const seconds = turns.map(([, second = 0]) => second);
  expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(500);
});

test("starting runs every key, and stopping aborts and awaits what runs", async () => {
  const { runner, runs, started } = manual({ list: async () => ["a", "b"] });
  runner.start();
  await expect.poll(() => started().toSorted(), SOON).toEqual(["a", "b"]);
  await runner.stop();
  expect(runs.every(({ signal }) => signal.aborted)).toBe(true);
  runner.wake("c");
  expect(started()).toHaveLength(2);
});

test("a list that can't be read is a problem until it can, and is read again soon", async () => {
  let isAway = true;
  const { runner, started } = counting({
    list: async () => {
      if (isAway) throw new Error("away");
      return ["a"];
    },
  });
  expect(runner.problem).toBe("has not started yet");
  runner.start();
  await expect.poll(() => runner.problem, SOON).toMatch(/could not list/);
  isAway = false;
  await expect.poll(() => started.length, SOON).toBe(1);
  expect(runner.problem).toBeUndefined();
  await runner.stop();
});

test("a run that waits goes on when it is woken by either name, or when its time has come", async () => {
  const { runner, runs, started } = manual();
  const until = (ms: number) => new Date(Date.now() + ms);
  runner.wake("a");
  runs[0]?.end({ state: "waiting", until: until(3_600_000), wakeKey: "report 1" });
  await turn();
  expect(started()).toHaveLength(1);
  runner.wake("report 1");
  expect(started()).toEqual(["a", "a"]);
  runs[1]?.end({ state: "waiting", until: until(3_600_000) });
  await turn();
  runner.wake("a");
  expect(started()).toHaveLength(3);
  runs[2]?.end({ state: "waiting", until: until(30) });
  await expect.poll(() => started().length, SOON).toBe(4);
  await runner.stop();
});

test("a key that has ended is forgotten until it is woken", async () => {
  const { runner, runs, started } = manual();
  runner.wake("a");
  runs[0]?.end({ state: "ended" });
  await turn();
  expect(runner.status.keys).toBe(0);
  runner.wake("a");
  expect(started()).toEqual(["a", "a"]);
  await runner.stop();
});

test("after wakes may have been missed everything is listed and run again", async () => {
  const keys = ["a"];
  const { runner, started } = counting({ list: async () => [...keys] });
  runner.start();
  await expect.poll(() => started.length, SOON).toBe(1);
  keys.push("b");
  runner.wakeAll();
  await expect.poll(() => started.map(({ key }) => key).toSorted(), SOON).toEqual(["a", "a", "b"]);
  await runner.stop();
});

/** Leases that the test gives and takes. */
class FakeLeases {
  readonly problem = undefined;
  readonly buckets = new Set<number>();
  #term = new AbortController();
  #listener: LeaseListener | undefined;

  watch(listener: LeaseListener): () => void {
    this.#listener = listener;
    listener.gained(this.held());
    return () => {
      this.#listener = undefined;
    };
  }
  held = () => [...this.buckets];
  holds = (bucket: number) => this.buckets.has(bucket);
  claim(key: string): Lease | undefined {
    const bucket = bucketOf(key);
    if (!this.buckets.has(bucket)) return undefined;
    const lost = this.#term.signal;
    return {
      bucket,
      holder: "me",
      epoch: "1",
      lost,
      check: () => lost.throwIfAborted(),
      [Symbol.dispose]() {},
    };
  }
  gain(...keys: string[]): void {
    const buckets = keys.map(bucketOf);
    for (const bucket of buckets) this.buckets.add(bucket);
    this.#listener?.gained(buckets);
  }
  lose(...keys: string[]): void {
    this.#term.abort(new Error("lost"));
    this.#term = new AbortController();
    const buckets = keys.map(bucketOf);
    for (const bucket of buckets) this.buckets.delete(bucket);
    void this.#listener?.lost(buckets, false);
  }
}

/** A leased task over these keys. */
function leased(keys: readonly string[], options: Partial<LeasedTask> = {}) {
  const leases = new FakeLeases();
  const listed: number[][] = [];
  const { runs, runner: _, ...inner } = manual();
  const run = (key: string, signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<Status>();
    signal.addEventListener("abort", () => resolve(DONE));
    runs.push({ key, signal, end: (status = DONE) => resolve(status) });
    return promise;
  };
  const list = async (buckets: readonly number[]) => {
    listed.push([...buckets]);
    return keys.filter((key) => buckets.includes(bucketOf(key)));
  };
  const task: LeasedTask = {
    name: "test",
    claim: "bucket",
    periodMs: 1_000_000,
    concurrency: 4,
    list,
    run,
    ...options,
  };
  return { leases, listed, runner: new TaskRunner(task, { leases, log }), runs, ...inner };
}

test("keys are run where their bucket is held, and a wake for another's is not kept", async () => {
  const { leases, runner, started } = leased(["a", "b"]);
  leases.gain("a");
  runner.start();
  await expect.poll(started, SOON).toEqual(["a"]);
  runner.wake("b");
  expect(started()).toEqual(["a"]);
  expect(runner.status.keys).toBe(1);
  leases.gain("b");
  await expect.poll(started, SOON).toEqual(["a", "b"]);
  await runner.stop();
});

test("losing a bucket aborts its runs and forgets its keys", async () => {
  const { leases, runner, runs } = leased(["a", "b"]);
  leases.gain("a", "b");
  runner.start();
  await expect.poll(() => runs.length, SOON).toBe(2);
  leases.lose("a");
  expect(runs.find(({ key }) => key === "a")?.signal.aborted).toBe(true);
  await turn();
  expect(runner.status).toMatchObject({ running: 0 });
  await expect.poll(() => runner.status.keys, SOON).toBe(1);
  await runner.stop();
});

test("a bucket that is back before its aborted run has ended has no second run beside it", async () => {
  const ends: (() => void)[] = [];
  let others = 0;
  const { leases, runner } = leased(["a", "b"], {
    run: async (key) => {
      if (key === "b") {
        others++;
        return DONE;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.push(resolve);
      await promise; // takes its time to notice
      return DONE;
    },
  });
  leases.gain("a");
  runner.start();
  await expect.poll(() => ends.length, SOON).toBe(1);
  leases.lose("a");
  leases.gain("a");
  runner.wake("a");
  // One that came later has been run: the first had its turn.
  leases.gain("b");
  runner.wake("b");
  await expect.poll(() => others, SOON).toBeGreaterThan(0);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await expect.poll(() => ends.length, SOON).toBe(2);
  ends[1]?.();
  await runner.stop();
});

test("what is held is listed again in parts, each period another one", async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
  const { leases, listed, runner } = leased(keys, { periodMs: 20, run: async () => DONE });
  leases.gain(...keys);
  runner.start();
  await expect.poll(() => listed.length, SOON).toBeGreaterThan(12);
  await runner.stop();
  const parts = listed.slice(1, 11);
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(4);
  expect(new Set(parts.flat()).size).toBe(leases.buckets.size);
});
