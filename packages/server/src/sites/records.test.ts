import { randomUUID } from "node:crypto";
import { policyInput } from "@portreeve/api-schema";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bucketOf } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { contentOf, insertPolicy } from "../policies/store.ts";
import type { Outcome } from "../reconcile/index.ts";
import { recordReached, siteRecords } from "./records.ts";
import { Sightings } from "./sightings.ts";
import { findSite, type SiteRow } from "./store.ts";
import { changeIntent } from "./sync.ts";
import { insertSites } from "./testing.fixture.ts";

const customerId = randomUUID();
const siteId = randomUUID();
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  const service = (port: number) => ({ enabled: port === 8728, port, networks: null });
  const [winbox, ssh, http, https] = [service(8291), service(22), service(80), service(443)];
  const [telnet, ftp, api, api_ssl] = [service(23), service(21), service(8728), service(8729)];
  const input = policyInput.parse({ name: "p", winbox, ssh, http, https, telnet, ftp, api, api_ssl });
  await db.database.asSystem(async (trx) => {
    await trx.insertInto("customers").values({ id: customerId, name: "c" }).execute();
    const named = { customer_id: customerId, name: "p", slug: "p", is_default: true };
    const { id: policy_id, revision_id } = await insertPolicy(trx, named, contentOf(input));
    const policy = { policy_id, policy_revision_id: revision_id };
    await insertSites(trx, [{ customer_id: customerId, site: { id: siteId, name: "edge" }, policy }]);
  });
});
afterAll(() => db.drop());

const site = () => db.database.asSystem((trx) => findSite(trx, siteId));

async function somebodyWaitsForALock(): Promise<boolean> {
  const { rows } = await db.database.asSystem((trx) =>
    sql`select from pg_locks where not granted and locktype in ('transactionid', 'tuple')`.execute(trx),
  );
  return rows.length > 0;
}

test("a run that ends while a change of intent is about to commit does not say that it was delivered", async () => {
  const records = siteRecords(db.database, new Sightings(db.database));
  const before = await db.database.asSystem((trx) => records.load(trx, siteId));
  if (!before) throw new Error("no site");
  const committed = Promise.withResolvers<void>();
  const changed = Promise.withResolvers<void>();
  const change = db.database.asSystem(async (trx) => {
    await changeIntent(trx, [siteId]);
    changed.resolve();
    await committed.promise;
  });
  await changed.promise;
  const end = db.database.asSystem((trx) => records.finish(trx, before, { state: "in_sync" }));
  await expect.poll(somebodyWaitsForALock).toBe(true);
  committed.resolve();
  await Promise.all([change, end]);
  expect(await site()).toMatchObject({ sync_state: "pending" });
  expect((await site())?.generation).not.toBe(before.generation);
});

/** What changes whenever a row is written. */
const version = async () => {
  const { rows } = await db.database.asSystem((trx) =>
    sql<{
      version: string;
    }>`select xmin::text || ctid::text as version from sites where id = ${siteId}`.execute(trx),
  );
  return rows[0]?.version;
};

async function run(outcome: Outcome, sightings = new Sightings(db.database)): Promise<Sightings> {
  const records = siteRecords(db.database, sightings);
  const ended = await db.database.asSystem(async (trx) => {
    const snapshot = await records.load(trx, siteId);
    if (snapshot) await records.finish(trx, snapshot, outcome);
    return snapshot;
  });
  if (ended) records.checked(ended);
  return sightings;
}

const ROUTER = { identity: "edge", version: "7.18", model: null, serialNumber: null };
const REACHED = { port: 8728, fingerprint: undefined, settled: true, router: ROUTER };

async function logIn(sightings: Sightings): Promise<void> {
  await recordReached(db.database, sightings, (await site()) as SiteRow, REACHED);
}

test("a check that finds everything as it was writes nothing, and is known all the same", async () => {
  const sightings = await run({ state: "in_sync" });
  await logIn(sightings);
  const before = await version();
  const clock = new Sightings(db.database, () => new Date(Date.now() + 60_000));
  await logIn(clock);
  await run({ state: "in_sync" }, clock);
  expect(await version()).toBe(before);
  const stored = await site();
  expect(clock.of(siteId)?.checkedAt).toBeGreaterThan(stored?.sync_checked_at?.getTime() ?? 0);
  expect(clock.of(siteId)?.seenAt).toBeGreaterThan(stored?.last_seen_at?.getTime() ?? 0);
});

test("a router that goes away is written down, with the time it was seen last", async () => {
  const seenAt = Date.now() + 120_000;
  const sightings = new Sightings(db.database, () => new Date(seenAt));
  await db.database.asSystem((trx) =>
    sql`update site_connections set management_address = '192.0.2.9' where site_id = ${siteId}`.execute(trx),
  );
  await run({ state: "in_sync" });
  await logIn(sightings);
  await run({ state: "pending", reason: "no answer", reached: false }, sightings);
  expect(await site()).toMatchObject({ status: "offline", last_seen_at: new Date(seenAt) });
  const before = await version();
  await run({ state: "pending", reason: "no answer", reached: false }, sightings);
  expect(await version()).toBe(before);
});

test("while a change is being delivered every login is written down, for rollouts to read", async () => {
  await run({ state: "in_sync" });
  const sightings = new Sightings(db.database);
  await logIn(sightings);
  await db.database.asSystem((trx) => changeIntent(trx, [siteId]));
  const before = await version();
  await logIn(sightings);
  expect(await version()).not.toBe(before);
});

test("the check that somebody asked for is written down even where it finds nothing new", async () => {
  await run({ state: "in_sync" });
  await db.database.asSystem((trx) =>
    sql`update site_sync set reconcile_requested_at = now() where site_id = ${siteId}`.execute(trx),
  );
  const asked = await site();
  await run({ state: "in_sync" });
  const checked = await site();
  expect(checked?.sync_checked_at?.getTime()).toBeGreaterThan(asked?.sync_checked_at?.getTime() ?? 0);
  const before = await version();
  await run({ state: "in_sync" });
  expect(await version()).toBe(before);
});

test("what was only seen again is written in one batch, never backwards, and kept where the row is locked", async () => {
  await run({ state: "in_sync" });
  const later = new Date(Date.now() + 600_000);
  const sightings = new Sightings(db.database, () => later);
  sightings.seen(siteId);
  sightings.checked(siteId);
  sightings.seen(randomUUID()); // a site that is gone meanwhile
  await db.database.asSystem(async (trx) => {
    await sql`select from sites where id = ${siteId} for update`.execute(trx);
    await sightings.write();
  });
  expect(sightings.of(siteId)).toEqual({ seenAt: later.getTime(), checkedAt: later.getTime() });
  await sightings.write();
  expect(await site()).toMatchObject({ last_seen_at: later, sync_checked_at: later });
  expect(sightings.of(siteId)).toBeUndefined();
  const old = new Sightings(db.database, () => new Date(0));
  old.seen(siteId);
  await old.write(new Set([bucketOf(siteId)]));
  expect(await site()).toMatchObject({ last_seen_at: later });
});

test("what is seen of a site that another process works for is not kept here, nor written", async () => {
  await run({ state: "in_sync" });
  const before = await version();
  let isOurs = true;
  const sightings = new Sightings(
    db.database,
    () => new Date(Date.now() + 900_000),
    () => isOurs,
  );
  sightings.seen(siteId);
  isOurs = false;
  await sightings.write();
  expect(await version()).toBe(before);
  sightings.forget(new Set([bucketOf(siteId)]));
  sightings.checked(siteId);
  expect(sightings.of(siteId)).toBeUndefined();
});
