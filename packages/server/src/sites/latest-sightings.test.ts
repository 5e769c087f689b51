import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Leases } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { type AskProcess, answerSightings, LatestSightings } from "./latest-sightings.ts";
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

/** A process that holds every bucket and has seen this site. */
async function holderOf(siteId: string) {
  const sightings = new Sightings(db.database, () => LATER);
  sightings.seen(siteId);
  const connection = db.connectionString;
  const leases = await Leases.open({ connection, applicationName: randomUUID(), address: "holder:1", log });
  const ask: AskProcess = (address, question, input) => {
    expect([address, question]).toEqual(["holder:1", "sightings"]);
    return answerSightings(sightings, input);
  };
  return { ask, [Symbol.asyncDispose]: () => leases[Symbol.asyncDispose]() };
}

test("what another process has seen since is shown, in the order of the rows", async () => {
  const [seen, unseen] = [randomUUID(), randomUUID()];
  await using holder = await holderOf(seen);
  const latest = new LatestSightings(db.database, holder.ask);
  const [one, other] = await latest.over([rowOf(unseen), rowOf(seen)]);
  expect(one).toEqual(rowOf(unseen));
  expect(other).toEqual({ ...rowOf(seen), last_seen_at: LATER });
});

test("what is stored is shown where the holder can't be reached", async () => {
  const siteId = randomUUID();
  await using _holder = await holderOf(siteId);
  const latest = new LatestSightings(db.database, async () => Promise.reject(new Error("nobody answers")));
  expect(await latest.over([rowOf(siteId)])).toEqual([rowOf(siteId)]);
});

test("an older time does not take the place of what is stored", async () => {
  const siteId = randomUUID();
  await using _holder = await holderOf(siteId);
  const old = async () => ({ [siteId]: { seenAt: 0, checkedAt: 0 } });
  expect(await new LatestSightings(db.database, old).over([rowOf(siteId)])).toEqual([rowOf(siteId)]);
});

test("what another process answers is believed only in the form it is to have", async () => {
  const siteId = randomUUID();
  await using _holder = await holderOf(siteId);
  const odd = async () => ({ [siteId]: { seenAt: "now" } });
  expect(await new LatestSightings(db.database, odd).over([rowOf(siteId)])).toEqual([rowOf(siteId)]);
});
