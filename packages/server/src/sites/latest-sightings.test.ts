import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Leases } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { buildInternalApp } from "../http/index.ts";
import { LatestSightings, sightingsAnswer } from "./latest-sightings.ts";
import { Sightings } from "./sightings.ts";
import type { SiteRow } from "./store.ts";

const log = pino({ level: "silent" });
const STORED = new Date("2026-01-01T00:00:00Z");
const LATER = new Date("2026-01-01T00:05:00Z");

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

const rowOf = (id: string) => ({ id, last_seen_at: STORED, sync_checked_at: STORED }) as SiteRow;

/** A process that holds every bucket and has seen this site, and its internal listener. */
async function holderOf(siteId: string) {
  await using starting = new AsyncDisposableStack();
  const sightings = new Sightings(db.database, () => LATER);
  sightings.seen(siteId);
  const app = buildInternalApp({ log, readiness: {}, answers: [sightingsAnswer(sightings)] });
  starting.defer(() => app.close());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.listeningOrigin.replace("http://", "");
  const connection = db.connectionString;
  starting.use(await Leases.open({ connection, applicationName: randomUUID(), address, log }));
  const running = starting.move();
  return { app, address, sightings, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

test("what another process has seen since is shown, in the order of the rows", async () => {
  const [seen, unseen] = [randomUUID(), randomUUID()];
  await using _holder = await holderOf(seen);
  const latest = new LatestSightings(db.database, new Sightings(db.database));
  const [one, other] = await latest.over([rowOf(unseen), rowOf(seen)]);
  expect(one).toEqual(rowOf(unseen));
  expect(other).toEqual({ ...rowOf(seen), last_seen_at: LATER });
});

test("what this process has seen itself is shown without asking anybody", async () => {
  const siteId = randomUUID();
  await using holder = await holderOf(siteId);
  await holder.app.close();
  const latest = new LatestSightings(db.database, holder.sightings, holder.address);
  expect(await latest.over([rowOf(siteId)])).toEqual([{ ...rowOf(siteId), last_seen_at: LATER }]);
});

test("what is stored is shown where the holder can't be reached", async () => {
  const siteId = randomUUID();
  await using holder = await holderOf(siteId);
  await holder.app.close();
  const latest = new LatestSightings(db.database, new Sightings(db.database));
  expect(await latest.over([rowOf(siteId)])).toEqual([rowOf(siteId)]);
});

test("an older time does not take the place of what is stored", async () => {
  const siteId = randomUUID();
  const old = new Sightings(db.database, () => new Date(0));
  old.seen(siteId);
  old.checked(siteId);
  expect(await new LatestSightings(db.database, old).over([rowOf(siteId)])).toEqual([rowOf(siteId)]);
});

test("the internal listener tells whether its process works", async () => {
  await using holder = await holderOf(randomUUID());
  const status = async (path: string) => (await fetch(`http://${holder.address}${path}`)).status;
  expect([await status("/healthz"), await status("/readyz"), await status("/nothing")]).toEqual([
    200, 200, 404,
  ]);
});
