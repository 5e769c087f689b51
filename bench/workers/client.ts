/** One client in a process of its own. */
import { type Client, type ClientName, clients } from "../clients/index.ts";
import { secondsOf } from "../harness.ts";
import { ATTRIBUTES, MENU, ROWS, SMALL_MENU } from "../menu.ts";
import { serveTasks } from "../worker.ts";

let client: Client;

serveTasks({
  async connect({ name, port }: { name: ClientName; port: number }) {
    client = await clients[name](port);
  },

  /** Print the large menu `times` times. */
  async rows({ times }: { times: number }) {
    const seconds = await secondsOf(async () => {
      for (let i = 0; i < times; i++) await printAll();
    });
    return { rowsPerSecond: (times * ROWS) / seconds };
  },

  /** Of one reply that is kept. Apart from the rates: a forced collection throws compiled code away, too. */
  async heap() {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const rows = await printAll();
    globalThis.gc?.();
    return { heapBytesPerRow: (process.memoryUsage().heapUsed - before) / rows.length };
  },

  /** Run short commands for a while, `inFlight` at a time. */
  async commands({ inFlight, milliseconds }: { inFlight: number; milliseconds: number }) {
    let count = 0;
    const until = performance.now() + milliseconds;
    const repeat = async () => {
      for (; performance.now() < until; count++) await client.print(SMALL_MENU);
    };
    const seconds = await secondsOf(() => Promise.all(Array.from({ length: inFlight }, repeat)));
    return { commandsPerSecond: count / seconds };
  },
});

/** A client that loses rows is fast: nothing counts but the whole menu. routeros-client adds an attribute of its own. */
async function printAll() {
  const rows = await client.print(MENU);
  const last = rows.at(-1);
  if (rows.length !== ROWS || !last || Object.keys(last).length < ATTRIBUTES) {
    throw new Error(`${rows.length} rows of ${Object.keys(last ?? {}).length} attributes came`);
  }
  return rows;
}
