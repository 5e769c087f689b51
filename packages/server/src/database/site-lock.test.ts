import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Relay } from "./relay.fixture.ts";
import { SiteLocks } from "./site-lock.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };

let testDatabase: TestDatabase;
/** Two processes, as the database sees it: each has its own session. */
let here: SiteLocks;
let there: SiteLocks;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
});
afterAll(() => testDatabase.drop());
beforeEach(async () => {
  here = await SiteLocks.open({ connection: testDatabase.connectionString });
  there = await SiteLocks.open({ connection: testDatabase.connectionString });
});
afterEach(async () => {
  await here.close();
  await there.close();
});

const endSessionsWithLocks = () =>
  testDatabase.database.asSystem(async (trx) => {
    await sql`reset role`.execute(trx);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and query like '%advisory%' and pid <> pg_backend_pid()`.execute(
      trx,
    );
  });

test("a lock is held by one process at a time", async () => {
  const lock = await here.tryLock("site-1");
  expect(lock).toBeDefined();
  expect(await there.tryLock("site-1")).toBeUndefined();
  expect(await there.tryLock("site-2")).toBeDefined();
  await lock?.release();
  expect(await there.tryLock("site-1")).toBeDefined();
});

test("a lock is held once inside a process too, also by calls made together", async () => {
  const locks = await Promise.all([here.tryLock("site-1"), here.tryLock("site-1"), here.tryLock("site-1")]);
  expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1);
  await locks[0]?.release();
  expect(await here.tryLock("site-1")).toBeDefined();
});

test("of many processes asking at once one gets the lock", async () => {
  const processes = await Promise.all(
    Array.from({ length: 8 }, () => SiteLocks.open({ connection: testDatabase.connectionString })),
  );
  const locks = await Promise.all(processes.map((locks) => locks.tryLock("site-1")));
  expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1);
  await Promise.all(processes.map((locks) => locks.close()));
});

test("releasing twice does not release the next holder's lock", async () => {
  const first = await here.tryLock("site-1");
  await first?.release();
  const second = await here.tryLock("site-1");
  await first?.release();
  expect(await there.tryLock("site-1")).toBeUndefined();
  expect(second?.lost.aborted).toBe(false);
});

test("when the connection dies every lock held reports it, and can be taken again", async () => {
  const [one, two] = [await here.tryLock("site-1"), await here.tryLock("site-2")];
  await endSessionsWithLocks();
  await expect.poll(() => [one?.lost.aborted, two?.lost.aborted], SOON).toEqual([true, true]);
  expect(one?.lost.reason).toBeInstanceOf(Error);
  // The server tells the client first and frees the locks then.
  await expect.poll(() => there.tryLock("site-1"), SOON).toBeDefined();
  expect(await here.tryLock("site-1")).toBeUndefined();
  await expect.poll(() => here.tryLock("site-2"), SOON).toBeDefined();
  await one?.release();
  expect(await here.tryLock("site-1")).toBeUndefined();
});

test("a link that swallows everything loses the lock", async () => {
  await using relay = await Relay.open(testDatabase.connectionString);
  await using locks = await SiteLocks.open({ connection: relay.url, heartbeatMs: 500 });
  const lock = await locks.tryLock("site-1");
  relay.swallow();
  await expect.poll(() => lock?.lost.aborted, SOON).toBe(true);
});

test("a released lock does not report the later loss of the connection", async () => {
  const lock = await here.tryLock("site-1");
  await lock?.release();
  await here.close();
  expect(lock?.lost.aborted).toBe(false);
});

test("closing gives every lock up and reports it", async () => {
  const lock = await here.tryLock("site-1");
  await here.close();
  expect(lock?.lost.aborted).toBe(true);
  await expect.poll(() => there.tryLock("site-1"), SOON).toBeDefined();
  await expect(here.tryLock("site-1")).rejects.toThrow(/closed/);
});

test("a database that cannot be reached is an error, not a lock held by somebody", async () => {
  const nowhere = new URL(testDatabase.connectionString);
  nowhere.pathname = "/portreeve_no_such_database";
  const locks = await SiteLocks.open({ connection: nowhere.href });
  await expect(locks.tryLock("site-1")).rejects.toMatchObject({ code: "3D000" });
  await expect(locks.tryLock("site-1")).rejects.toMatchObject({ code: "3D000" });
});
