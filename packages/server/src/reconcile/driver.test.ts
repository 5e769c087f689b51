import { pino } from "pino";
import { expect, test } from "vitest";
import { Driver, type DriverOptions } from "./driver.ts";

const log = pino({ level: "silent" });
const free = async () => ({ lost: new AbortController().signal, release: async () => {} });

/** A driver whose runs end when the test says so. */
function driverOf(options: Partial<DriverOptions> = {}) {
  const running: { siteId: string; signal: AbortSignal; end: () => void }[] = [];
  const started: string[] = [];
  const driver = new Driver({
    list: async () => [],
    tryLock: free,
    periodMs: 1_000_000,
    concurrency: 2,
    log,
    run: (siteId, signal) => {
      started.push(siteId);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve());
      running.push({ siteId, signal, end: resolve });
      return promise;
    },
    ...options,
  });
  return { driver, running, started };
}

/** Let everything that is ready to happen happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("wakes that come during a run make exactly one more run", async () => {
  const { driver, running, started } = driverOf();
  driver.wake("a");
  await settle();
  for (let i = 0; i < 5; i++) driver.wake("a");
  await settle();
  expect(started).toEqual(["a"]);
  running[0]?.end();
  await settle();
  expect(started).toEqual(["a", "a"]);
  running[1]?.end();
  await settle();
  expect(started).toEqual(["a", "a"]);
});

test("no more sites are at work than allowed, and a waiting one follows the first that ends", async () => {
  const { driver, running, started } = driverOf({ concurrency: 2 });
  for (const siteId of ["a", "b", "c"]) driver.wake(siteId);
  await settle();
  expect(started).toEqual(["a", "b"]);
  running[1]?.end();
  await settle();
  expect(started).toEqual(["a", "b", "c"]);
  await driver.stop();
});

test("a site that another process has locked is left to it", async () => {
  const { driver, started } = driverOf({ tryLock: async () => undefined });
  driver.wake("a");
  await settle();
  expect(started).toEqual([]);
});

test("a run is aborted when its lock is lost, and the lock is given back at the end of a run", async () => {
  const lost = new AbortController();
  let released = 0;
  const lock = { lost: lost.signal, release: async () => void released++ };
  const { driver, running } = driverOf({ tryLock: async () => lock });
  driver.wake("a");
  await settle();
  lost.abort();
  await settle();
  expect(running[0]?.signal.aborted).toBe(true);
  expect(released).toBe(1);
});

test("a run that fails does not keep the next one from happening", async () => {
  let runs = 0;
  const { driver } = driverOf({
    run: async () => {
      runs++;
      throw new Error("database is away");
    },
  });
  driver.wake("a");
  await settle();
  driver.wake("a");
  await settle();
  expect(runs).toBe(2);
});

test("starting wakes every site, and stopping aborts and awaits what runs", async () => {
  const { driver, running, started } = driverOf({ list: async () => ["a", "b"] });
  driver.start();
  await settle();
  expect(started).toEqual(["a", "b"]);
  await driver.stop();
  expect(running.every(({ signal }) => signal.aborted)).toBe(true);
  driver.wake("c");
  await settle();
  expect(started).toEqual(["a", "b"]);
});
