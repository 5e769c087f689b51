/** What notifications cost where every commit waits for a standby 2 ms away: wall clock, so this runs alone. */
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { Database } from "./database.ts";
import { silentLog } from "./log.ts";
import { notify } from "./notifier.ts";
import { startPair } from "./pair.fixture.ts";
import type { Trx } from "./trx.ts";

const WRITERS = 32;
const ROUNDS = 3;
const ROUND_MS = 2_000;

/** Writes per second of so many at once, each with what `announce` adds to its transaction. */
async function writesPerSecond(
  database: Database,
  announce: (trx: Trx, id: string) => Promise<unknown>,
): Promise<number> {
  let writes = 0;
  const until = performance.now() + ROUND_MS;
  const writer = async () => {
    while (performance.now() < until) {
      await database.asSystem(async (trx) => {
        const id = randomUUID();
        await trx.insertInto("customers").values({ id, name: "written" }).execute();
        await announce(trx, id);
      });
      writes += 1;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return (writes * 1000) / ROUND_MS;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

test("writes that announce something are at least 0.6 as many as writes that don't, with a synchronous standby 2 ms away", async () => {
  await using pair = await startPair({ delayMs: 1 });
  await using database = await Database.open({
    connection: pair.url,
    maxConnections: WRITERS,
    log: silentLog,
  });
  const contenders = {
    silent: async () => {},
    announced: (trx: Trx, id: string) => notify(trx, "sites", id),
    inside: (trx: Trx, id: string) => sql`select pg_notify('sites', ${id})`.execute(trx),
  };
  const rates = { silent: [] as number[], announced: [] as number[], inside: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of ["silent", "announced", "inside"] as const) {
      const rate = await writesPerSecond(database, contenders[name]);
      if (round > 0) rates[name].push(rate); // the first warms up
    }
  }
  const { silent, announced, inside } = {
    silent: median(rates.silent),
    announced: median(rates.announced),
    inside: median(rates.inside),
  };
  console.log(
    `writes a second, standby 2 ms away: ${Math.round(silent)} silent, ${Math.round(announced)} announced ` +
      `(${(announced / silent).toFixed(2)}), ${Math.round(inside)} with NOTIFY inside (${(inside / silent).toFixed(2)})`,
  );
  expect(announced / silent).toBeGreaterThanOrEqual(0.6);
}, 120_000);
