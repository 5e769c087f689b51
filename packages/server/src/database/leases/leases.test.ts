import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { namedConnection, openClient } from "../connection.ts";
import { Database } from "../database.ts";
import { silentLog } from "../log.ts";
import { Relay } from "../relay.fixture.ts";
import { createTestDatabase, type TestDatabase } from "../testing.ts";
import { BUCKETS, bucketOf } from "./bucket.ts";
import { checkLease, holding, type Lease, LeaseLostError } from "./lease.ts";
import { Leases, type LeasesOptions } from "./leases.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };
/** Short, so that tests are; a busy machine is late for it now and then, which members survive. */
const FAST = { heartbeatMs: 50, leaseMs: 2_000 };

let db: TestDatabase;
let opened: AsyncDisposableStack;

beforeEach(async () => {
  db = await createTestDatabase();
  opened = new AsyncDisposableStack();
  opened.defer(() => db.drop());
});
afterEach(() => opened.disposeAsync());

interface Process {
  readonly leases: Leases;
  readonly database: Database;
  readonly applicationName: string;
}

/** A process, as the database sees it: a member with sessions of its own name. */
async function join(options: Partial<LeasesOptions> = {}): Promise<Process> {
  const applicationName = `portreeve test ${randomBytes(8).toString("hex")}`;
  const connection = namedConnection(options.connection ?? db.connectionString, applicationName);
  const leases = await Leases.open({ applicationName, log: silentLog, ...FAST, ...options, connection });
  opened.use(leases);
  const database = await Database.open({ connection, maxConnections: 2, log: silentLog });
  opened.use(database);
  return { leases, database, applicationName };
}

function claimed(leases: Leases, key = "a"): Lease {
  const lease = leases.claim(key);
  if (!lease) throw new Error("not held");
  return lease;
}

const own = async (text: string, values: unknown[] = []) => {
  const client = await openClient(db.connectionString);
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
};

/** What a process that is stopped, or cut off for long, finds when it is back. */
const expire = (leases: Lease) =>
  own("update members set until = now() - interval '1 second' where id = $1", [leases.holder]);

const addCustomer = (database: Database) =>
  database.asSystem((trx) => sql`insert into customers (name) values ('c')`.execute(trx));
const countCustomers = async () => (await own("select from customers")).length;

test("a member alone holds every bucket; a second one gets its share, and no bucket is held by both", async () => {
  const { leases: here } = await join();
  expect(here.held()).toHaveLength(BUCKETS);
  const { leases: there } = await join();
  await expect
    .poll(() => here.held().length + there.held().length === BUCKETS && there.held().length > 0, SOON)
    .toBe(true);
  expect(new Set([...here.held(), ...there.held()]).size).toBe(BUCKETS);
});

test("while buckets move from one member to others none is ever held by two", async () => {
  const members = [await join()];
  let twice = 0;
  const holders = new Map<number, Leases>();
  const watch = ({ leases }: Process) =>
    leases.watch({
      gained: (buckets) => {
        for (const bucket of buckets) {
          if (holders.has(bucket)) twice++;
          holders.set(bucket, leases);
        }
      },
      lost: (buckets) => {
        for (const bucket of buckets) if (holders.get(bucket) === leases) holders.delete(bucket);
      },
    });
  for (const member of members) watch(member);
  for (let i = 0; i < 2; i++) {
    const member = await join();
    watch(member);
    members.push(member);
  }
  const held = () => members.map(({ leases }) => leases.held().length);
  await expect.poll(() => held().every((count) => count > 200), SOON).toBe(true);
  await members[0]?.leases.close();
  await expect.poll(() => held().reduce((sum, count) => sum + count), SOON).toBe(BUCKETS);
  expect(twice).toBe(0);
});

test("a bucket that has become another's is given up when its run has ended, and not before", async () => {
  const { leases: here } = await join();
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`);
  const runs = keys.map((key) => claimed(here, key));
  const { leases: there } = await join();
  await expect.poll(() => keys.filter((key) => !here.holds(bucketOf(key))).length, SOON).toBeGreaterThan(0);
  const leaving = keys.filter((key) => !here.holds(bucketOf(key)));
  const [key = ""] = leaving;
  expect(here.claim(key)).toBeUndefined(); // no run begins
  expect(there.claim(key)).toBeUndefined();
  expect(runs.every(({ lost }) => !lost.aborted)).toBe(true);
  for (const run of runs) run[Symbol.dispose]();
  await expect.poll(() => there.holds(bucketOf(key)), SOON).toBe(true);
  expect(here.holds(bucketOf(key))).toBe(false);
});

test("renewing is one statement each heartbeat, whatever is held", async () => {
  const { leases } = await join({ heartbeatMs: 20 });
  expect(leases.held()).toHaveLength(BUCKETS);
  const client = pg.Client.prototype;
  const texts: string[] = [];
  const { query } = client;
  client.query = function (this: pg.Client, ...args: unknown[]) {
    const [first] = args as [string | { text: string }];
    texts.push(typeof first === "string" ? first : first.text);
    return Reflect.apply(query, this, args);
  } as typeof query;
  try {
    await expect.poll(() => texts.length, SOON).toBeGreaterThan(5);
  } finally {
    client.query = query;
  }
  expect(texts.every((text) => text.includes("update members set heartbeat_at"))).toBe(true);
});

test("a member that does not renew in time is ended by another, with its database sessions", async () => {
  const before = await join({ heartbeatMs: 60_000, leaseMs: 60_000 });
  const lease = claimed(before.leases);
  const inTransaction = Promise.withResolvers<void>();
  const writing = holding(lease, () =>
    before.database.asSystem(async (trx) => {
      await sql`insert into customers (name) values ('late')`.execute(trx);
      inTransaction.resolve();
      await sql`select pg_sleep(10)`.execute(trx);
    }),
  );
  const refused = expect(writing).rejects.toMatchObject({ code: "57P01" });
  await inTransaction.promise;
  await expire(lease);
  const { leases: after } = await join();
  await expect.poll(() => after.held().length, SOON).toBe(BUCKETS);
  await refused;
  expect(await countCustomers()).toBe(0);
});

test("who has lost a lease without knowing writes nothing, and nobody else is kept from it", async () => {
  const before = await join({ heartbeatMs: 60_000, leaseMs: 60_000 });
  const lease = claimed(before.leases);
  await expire(lease);
  const after = await join();
  await expect.poll(() => after.leases.held().length, SOON).toBe(BUCKETS);
  // Its sessions were ended; it has opened others since, and believes all is well.
  await expect
    .poll(
      () =>
        before.database.ping().then(
          () => true,
          () => false,
        ),
      SOON,
    )
    .toBe(true);
  lease.check();
  await expect(holding(lease, () => addCustomer(before.database))).rejects.toThrow(LeaseLostError);
  await holding(lease, () => before.database.asSystem((trx) => sql`select 1`.execute(trx))); // reading does no harm
  expect(await countCustomers()).toBe(0);
  await holding(claimed(after.leases), () => addCustomer(after.database));
  expect(await countCustomers()).toBe(1);
});

test("a bucket that was lost and gained again has a greater epoch, and the older one writes nothing", async () => {
  const { leases, database } = await join();
  const old = claimed(leases);
  await own("update bucket_leases set holder = null");
  await own("update bucket_leases set holder = $1, epoch = epoch + 1", [old.holder]);
  await expect(holding(old, () => addCustomer(database))).rejects.toThrow(LeaseLostError);
  expect(await countCustomers()).toBe(0);
});

test("a bucket can't be taken between a write's proof and its commit", async () => {
  const { leases, database } = await join({ heartbeatMs: 60_000, leaseMs: 60_000 });
  const lease = claimed(leases);
  const client = await openClient(db.connectionString);
  await client.query("begin");
  await client.query("select portreeve_prove_lease($1, $2, $3)", [lease.bucket, lease.holder, lease.epoch]);
  const taken = own("update bucket_leases set epoch = epoch + 1 where bucket = $1", [lease.bucket]);
  await expect
    .poll(() => own("select from pg_locks where not granted").then((rows) => rows.length), SOON)
    .toBe(1);
  await holding(lease, () => addCustomer(database)); // two of its writes don't stand in each other's way
  await client.query("commit");
  await client.end();
  await taken;
  await expect(holding(lease, () => addCustomer(database))).rejects.toThrow(LeaseLostError);
});

test("writing as a customer proves the lease as well", async () => {
  const { leases, database } = await join();
  const lease = claimed(leases);
  const [{ id }] = (await own("insert into customers (name) values ('c') returning id")) as [{ id: string }];
  const write = () =>
    database.asCustomer(id, (trx) =>
      sql`insert into audit_events (customer_id, actor, action, subject_type) values (${id}, 'a', 'b', 'c')`.execute(
        trx,
      ),
    );
  await holding(lease, write);
  await own("update bucket_leases set holder = null");
  await expect(holding(lease, write)).rejects.toThrow(LeaseLostError);
  expect(await own("select from audit_events")).toHaveLength(1);
});

test("by its own clock a holder stops when its lease has run out, without asking the database", async () => {
  let now = 0;
  const { leases } = await join({ heartbeatMs: 60_000, leaseMs: 6_000, now: () => now });
  const lease = claimed(leases);
  await holding(lease, async () => checkLease());
  now = 5_999;
  lease.check();
  now = 6_000;
  expect(() => lease.check()).toThrow(LeaseLostError);
  await expect(holding(lease, async () => checkLease())).rejects.toThrow(LeaseLostError);
  expect(leases.claim("b")).toBeUndefined();
});

test("outside a run nothing is asked of a lease", () => {
  expect(() => checkLease()).not.toThrow();
});

test("cut off from the database a holder lets its runs end in time, and works again when it is back", async () => {
  await using relay = await Relay.open(db.connectionString);
  const { leases } = await join({ connection: relay.url });
  const lease = claimed(leases);
  const lost: boolean[] = [];
  leases.watch({ gained: () => {}, lost: (_, areOurs) => void lost.push(areOurs) });
  relay.cut();
  await expect.poll(() => lease.lost.aborted, SOON).toBe(true);
  expect(lease.lost.reason).toBeInstanceOf(LeaseLostError);
  expect(leases.problem).toMatch(/no leases/);
  expect(leases.held()).toEqual([]);
  expect(lost).toEqual([false]);
  relay.restore();
  await expect.poll(() => leases.held().length, SOON).toBe(BUCKETS);
  expect(leases.problem).toBeUndefined();
  expect(claimed(leases).epoch).not.toBe(lease.epoch);
  expect(await own("select from members")).toHaveLength(1);
});

test("a connection that swallows everything is replaced before the lease runs out", async () => {
  await using relay = await Relay.open(db.connectionString);
  const { leases } = await join({ connection: relay.url });
  const lease = claimed(leases);
  const renewed = () => own("select heartbeat_at from members").then(([row]) => row.heartbeat_at);
  const before = await renewed();
  relay.swallow();
  await expect.poll(async () => (await renewed()) - before, SOON).toBeGreaterThan(FAST.leaseMs);
  lease.check();
});

test("a member that leaves in good order is told of each bucket while it is still its own", async () => {
  const { leases } = await join();
  const lease = claimed(leases);
  let wasOurs: unknown;
  leases.watch({
    gained: () => {},
    lost: async (buckets, areOurs) => {
      expect([buckets.length, areOurs]).toEqual([BUCKETS, true]);
      [wasOurs] = await own("select holder from bucket_leases limit 1");
    },
  });
  await leases.close();
  expect(wasOurs).toEqual({ holder: lease.holder });
  expect(await own("select from members")).toEqual([]);
  expect(await own("select from bucket_leases where holder is not null")).toEqual([]);
});

test("a process of this host that is gone is not waited for", async () => {
  const { leases: dead } = await join({ heartbeatMs: 60_000, leaseMs: 60_000 });
  // Linux gives no process an id beyond 2^22.
  await own("update members set pid = 5000000, until = now() + interval '1 hour' where id = $1", [
    claimed(dead).holder,
  ]);
  const { leases } = await join();
  expect(leases.held()).toHaveLength(BUCKETS);
});

test("a database that can't be reached is an error of the start", async () => {
  const nowhere = new URL(db.connectionString);
  nowhere.pathname = "/portreeve_no_such_database";
  await expect(join({ connection: nowhere.href })).rejects.toMatchObject({ code: "3D000" });
});
