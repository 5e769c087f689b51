/** One client in a process of its own. */
import { Session } from "node:inspector/promises";
import { type Client, type ClientName, clients } from "../clients/index.ts";
import { ATTRIBUTES, MENU, ROWS, SMALL_MENU } from "../menu.ts";
import { serveTasks } from "../worker.ts";

/** A router that does not answer in this time never will. */
const DEADLINE_MS = 10_000;

/** What came of one turn. */
export type Turn = {
  /** Rows or commands per second, or bytes per row. */
  readonly value: number;
  /** Rows that did not come, of one print. */
  readonly lost: number;
  /** 1 when a command was not answered. */
  readonly unanswered: number;
};

let client: Client;
let isStuck = false;

serveTasks({
  async connect({ name, port }: { name: ClientName; port: number }) {
    client = await clients[name](port);
  },

  /** Print the large menu for a while, once at least. */
  rows: ({ milliseconds }: { milliseconds: number }) =>
    turn(async () => {
      let count = 0;
      let whole = 0;
      const start = performance.now();
      const until = start + milliseconds;
      do {
        const rows = await client.print(MENU);
        count += rows.length;
        // A look at every row would be part of what is measured.
        if (whole === 0) whole = wholeRows(rows);
      } while (performance.now() < until);
      return { value: (1000 * count) / (performance.now() - start), lost: ROWS - whole };
    }),

  /** Heap of one reply that is kept, per row. Apart from the rates: a forced collection throws compiled code away, too. */
  heap: () =>
    turn(async () => {
      globalThis.gc?.();
      const before = process.memoryUsage().heapUsed;
      const rows = await client.print(MENU);
      globalThis.gc?.();
      return { value: (process.memoryUsage().heapUsed - before) / rows.length, lost: ROWS - wholeRows(rows) };
    }),

  /** Heap taken in all while one reply comes, per row, by V8's sampling heap profiler. */
  allocations: () =>
    turn(async () => {
      const session = new Session();
      session.connect();
      await session.post("HeapProfiler.startSampling", {
        samplingInterval: 16_384,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
      const rows = await client.print(MENU);
      const { profile } = await session.post("HeapProfiler.stopSampling");
      session.disconnect();
      return { value: sizeOf(profile.head) / rows.length, lost: ROWS - wholeRows(rows) };
    }),

  /** Run short commands for a while, `inFlight` at a time. */
  commands: ({ inFlight, milliseconds }: { inFlight: number; milliseconds: number }) =>
    turn(async () => {
      let count = 0;
      const start = performance.now();
      const until = start + milliseconds;
      const repeat = async () => {
        for (; performance.now() < until; count++) await client.print(SMALL_MENU);
      };
      await Promise.all(Array.from({ length: inFlight }, repeat));
      return { value: (1000 * count) / (performance.now() - start), lost: 0 };
    }),
});

/** A client that never answers is asked no more. */
async function turn(work: () => Promise<{ value: number; lost: number }>): Promise<Turn> {
  const stuck = { value: 0, lost: 0, unanswered: 1 };
  if (isStuck) return stuck;
  const { promise, resolve } = Promise.withResolvers<Turn>();
  const timer = setTimeout(() => {
    isStuck = true;
    resolve(stuck);
  }, DEADLINE_MS);
  try {
    return await Promise.race([work().then((done) => ({ ...done, unanswered: 0 })), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A client that loses rows is fast. routeros-client adds an attribute of its own. */
function wholeRows(rows: readonly object[]): number {
  return rows.filter((row) => Object.keys(row).length >= ATTRIBUTES).length;
}

interface Allocations {
  readonly selfSize: number;
  readonly children: readonly Allocations[];
}

function sizeOf({ selfSize, children }: Allocations): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize);
}
