import { randomUUID } from "node:crypto";
import { policyInput } from "@portreeve/api-schema";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { contentOf, insertPolicy } from "../policies/store.ts";
import { siteRecords } from "./records.ts";
import { findSite } from "./store.ts";
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
  const records = siteRecords(db.database);
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
