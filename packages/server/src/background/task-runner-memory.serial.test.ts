import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { waitFor } from "@portreeve/testing";
import { pino } from "pino";
import { expect, test } from "vitest";
import { TaskRunner } from "./task-runner.ts";

/** The heap in use after everything that can go is gone, bytes. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  return process.memoryUsage().heapUsed;
}

test("a key costs a few hundred bytes while it waits for its turn", async () => {
  const keys = Array.from(
    { length: 20_000 },
    (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
  );
  let started = 0;
  const run = async () => {
    started++;
    return { state: "done" } as const;
  };
  const task = { name: "test", claim: "none", periodMs: 1_000_000, concurrency: 64 } as const;
  const runner = new TaskRunner({ ...task, list: async () => keys, run }, { log: pino({ level: "silent" }) });
  const before = memory();
  runner.start();
  await waitFor(() => started === keys.length);
  expect((memory() - before) / keys.length).toBeLessThan(500);
  expect(runner.status.keys).toBe(keys.length);
  await runner.stop();
});
