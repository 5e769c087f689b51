/** An upgrade from the version before, with a row or more in every table. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Database } from "./database.ts";
import { silentLog } from "./log.ts";
import { readMigrations } from "./migrate.ts";
import { countRows, createPreviousVersion, IDS, type PreviousVersion } from "./previous-version.fixture.ts";

let previous: PreviousVersion;
let database: Database;
let applied: string[];
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  previous = opened.use(await createPreviousVersion());
  applied = await previous.upgrade();
  database = opened.use(
    await Database.open({ connection: previous.connectionString, maxConnections: 2, log: silentLog }),
  );
});
afterAll(() => opened.disposeAsync());

test("the version before is filled: every table has a row", () => {
  const vacant = [...previous.counts].filter(([, count]) => count === 0).map(([name]) => name);
  expect(vacant).toEqual([]);
});

test("every migration since is applied, and a second start has none left", async () => {
  const since = (await readMigrations()).map(({ name }) => name).filter((name) => name > "0008_exposure.sql");
  expect(applied).toEqual(since);
  expect(await previous.upgrade()).toEqual([]);
});

test("no table that stays loses a row", async () => {
  const now = await countRows(previous.owner);
  const kept = [...previous.counts].filter(([name]) => now.has(name));
  expect(kept.length).toBeGreaterThan(0);
  for (const [name, count] of kept) expect([name, now.get(name)]).toEqual([name, count]);
});

test("each customer sees its own sites and no other's", async () => {
  const seen = (customer: string) =>
    database.readAsCustomer(customer, async (trx) =>
      (await trx.selectFrom("sites").select("id").orderBy("id").execute()).map((site) => site.id),
    );
  expect(await seen(IDS.customer)).toEqual([IDS.site, IDS.newSite]);
  expect(await seen(IDS.otherCustomer)).toEqual([IDS.otherSite]);
});
