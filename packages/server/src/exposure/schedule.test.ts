import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { sql } from "kysely";
import { pino } from "pino";
import { afterAll, beforeEach, expect, test } from "vitest";
import { TaskRunner } from "../background/index.ts";
import { Leases } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { insertSites } from "../sites/testing.fixture.ts";
import { type ExposureTaskOptions, exposureTask } from "./schedule.ts";
import { type ClaimedSite, claimNow, endClaim } from "./store.ts";

const CUSTOMER = randomUUID();
const SOON = { timeout: 10_000 };
const log = pino({ level: "silent" });
let testDatabase: TestDatabase | undefined;
let database: TestDatabase["database"];

beforeEach(async () => {
  await testDatabase?.drop();
  testDatabase = await createTestDatabase();
  database = testDatabase.database;
  await database.asSystem(async (trx) => {
    const [policy, revision] = [randomUUID(), randomUUID()];
    const statements = [
      sql`insert into customers (id, name) values (${CUSTOMER}, 'c')`,
      sql`insert into policies (id, customer_id, name, slug, revision_id)
          values (${policy}, ${CUSTOMER}, 'p', 'p', ${revision})`,
      sql`insert into policy_revisions (id, customer_id, policy_id, number, services, trusted_networks)
          values (${revision}, ${CUSTOMER}, ${policy}, 1, '{}', '{}')`,
    ];
    for (const statement of statements) await statement.execute(trx);
    const sites = Array.from({ length: 30 }, (_, index) => {
      const address = `192.0.2.${index + 1}`;
      return {
        customer_id: CUSTOMER,
        site: { name: `s${index + 1}` },
        connection: { address, reached_address: address },
        policy: { policy_id: policy, policy_revision_id: revision },
      };
    });
    await insertSites(trx, sites);
  });
});
afterAll(() => testDatabase?.drop());

/** Every site that the schedule knows is due now. */
async function makeDue(): Promise<void> {
  await database.asSystem(async (trx) => {
    await sql`insert into exposure_schedule (site_id, customer_id, next_check_at)
              select id, customer_id, now() from sites
              on conflict (site_id) do update set next_check_at = now()`.execute(trx);
  });
}

const rows = () =>
  database.asSystem((trx) =>
    trx
      .selectFrom("exposure_schedule")
      .selectAll()
      .select(sql<number>`extract(epoch from next_check_at - now()) / 3600`.as("hours"))
      .execute(),
  );

/** A process that works for its share of the sites from `start` on, and is gone after `stop`. */
async function scheduleOf(options: Pick<ExposureTaskOptions, "check">) {
  const { connectionString: connection } = testDatabase as TestDatabase;
  const leases = await Leases.open({ connection, applicationName: randomUUID(), log, heartbeatMs: 100 });
  const runner = new TaskRunner(exposureTask({ database, log, ...options }), { leases, log });
  const stop = async () => {
    await runner.stop();
    await leases.close();
  };
  return { start: () => runner.start(), stop };
}

/** A check that only counts and ends its claim. */
function counting() {
  const checked: string[] = [];
  const check = async (claim: ClaimedSite) => {
    checked.push(claim.siteId);
    await database.asCustomer(claim.customerId, (trx) => endClaim(trx, claim, 24));
  };
  return { checked, check };
}

test("several processes check every site that is due once between them", async () => {
  await makeDue();
  const { checked, check } = counting();
  const schedules = await Promise.all([1, 2, 3].map(() => scheduleOf({ check })));

  for (const schedule of schedules) schedule.start();
  await expect.poll(() => checked.length, SOON).toBe(30);
  await expect.poll(async () => (await rows()).every((row) => row.running_until === null), SOON).toBe(true);
  for (const schedule of schedules) await schedule.stop();

  expect(new Set(checked).size).toBe(30);
  expect(checked).toHaveLength(30);
  for (const { hours } of await rows()) {
    expect(Number(hours)).toBeGreaterThan(21);
    expect(Number(hours)).toBeLessThan(27);
  }
});

test("new sites are spread over the first hour, and only those that were reached at their address", async () => {
  await database.asSystem((trx) =>
    sql`update site_connections set reached_address = null where address = '192.0.2.1'`.execute(trx),
  );
  const { checked, check } = counting();
  const schedule = await scheduleOf({ check });

  schedule.start();
  await expect.poll(async () => (await rows()).length, SOON).toBe(29);
  await schedule.stop();

  const hours = (await rows()).map((row) => Number(row.hours));
  expect(Math.max(...hours)).toBeLessThanOrEqual(1);
  expect(Math.max(...hours) - Math.min(...hours)).toBeGreaterThan(0.5);
  expect(checked.length).toBeLessThan(29);
});

test("the claim of a process that was killed lapses", async () => {
  await makeDue();
  await database.asSystem(async (trx) => {
    await sql`update exposure_schedule set running_until = now() + interval '1 hour'`.execute(trx);
    await sql`update exposure_schedule set running_until = now() - interval '1 second'
               where site_id = (select site_id from exposure_schedule limit 1)`.execute(trx);
  });
  const { checked, check } = counting();
  const schedule = await scheduleOf({ check });

  schedule.start();
  await expect.poll(() => checked.length, SOON).toBe(1);
  await schedule.stop();
});

test("a check that fails stands in nobody's way", async () => {
  await makeDue();
  const { checked, check } = counting();
  const schedule = await scheduleOf({
    check: async (site) => {
      await check(site);
      throw new Error("the router bites");
    },
  });

  schedule.start();
  await expect.poll(() => checked.length, SOON).toBe(30);
  await schedule.stop();
});

test("stopping aborts the checks that run and waits for them", async () => {
  await makeDue();
  const { check } = counting();
  let [started, ended] = [0, 0];
  const schedule = await scheduleOf({
    check: async (site, signal) => {
      started += 1;
      await once(signal, "abort");
      await check(site);
      ended += 1;
    },
  });

  schedule.start();
  await expect.poll(() => started, SOON).toBe(8);
  await schedule.stop();

  expect([started, ended]).toEqual([8, 8]);
});

test("a site that is being checked can't be claimed a second time", async () => {
  await makeDue();
  const [row] = await rows();
  const site = { id: row?.site_id ?? "", customer_id: CUSTOMER };
  const claim = () => database.asCustomer(CUSTOMER, (trx) => claimNow(trx, site));
  const end = (claimed: ClaimedSite) => database.asCustomer(CUSTOMER, (trx) => endClaim(trx, claimed, 24));

  const [first, ...others] = (await Promise.all([claim(), claim(), claim()])).filter(
    (one) => one !== undefined,
  );
  expect([first?.siteId, others]).toEqual([site.id, []]);
  await end(first as ClaimedSite);
  const second = await claim();
  expect(second?.claim).not.toBe(first?.claim);

  await end(first as ClaimedSite); // late, by a process that was thought killed: no end of the second
  expect(await claim()).toBeUndefined();
});
