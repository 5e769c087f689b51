import { randomUUID } from "node:crypto";
import { AbortedTransactionError, sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isUnavailable, openClient } from "./connection.ts";
import { Database } from "./database.ts";
import { silentLog } from "./log.ts";
import { notify } from "./notifier.ts";
import { Relay } from "./relay.fixture.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";
import type { Trx } from "./trx.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };

let testDatabase: TestDatabase;
let single: Database; // one connection, so that every transaction gets the one the last gave back
let customer: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  single = await Database.open({
    connection: testDatabase.connectionString,
    maxConnections: 1,
    log: silentLog,
  });
  const row = await testDatabase.database.asSystem((trx) =>
    trx.insertInto("customers").values({ name: "Acme" }).returning("id").executeTakeFirstOrThrow(),
  );
  customer = row.id;
});

afterAll(async () => {
  await single.close();
  await testDatabase.drop();
});

const scope = (trx: Trx) =>
  sql<{ role: string; customer: string | null; pid: number }>`
    select current_user::text as role, portreeve_customer()::text as customer, pg_backend_pid() as pid`
    .execute(trx)
    .then(({ rows: [row] }) => row);

/** What the session is outside any transaction of ours. */
async function sessionOf(database: Database): Promise<unknown> {
  let session: unknown;
  // COMMIT ends our transaction early; what follows on the same connection runs as the pool's next user would.
  await database
    .asSystem(async (trx) => {
      await sql`commit`.execute(trx);
      session = await scope(trx);
    })
    .catch(() => {});
  return session;
}

test("a customer's transaction runs as the tenant role with that customer set", async () => {
  expect(await single.asCustomer(customer, scope)).toMatchObject({ role: "portreeve_tenant", customer });
});

test("a system transaction runs as the system role with no customer", async () => {
  expect(await single.asSystem(scope)).toMatchObject({ role: "portreeve_system", customer: null });
});

test("role and customer are gone from the connection after a commit", async () => {
  const during = await single.asCustomer(customer, scope);
  const after = await sessionOf(single);
  expect(after).toMatchObject({ customer: null, pid: during?.pid });
  expect(after).not.toMatchObject({ role: expect.stringMatching(/^portreeve_(tenant|system)$/) });
});

test("role and customer are gone from the connection after work that threw", async () => {
  let pid: number | undefined;
  const failing = single.asCustomer(customer, async (trx) => {
    pid = (await scope(trx))?.pid;
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  const after = await sessionOf(single);
  expect(after).toMatchObject({ customer: null, pid });
  expect(after).not.toMatchObject({ role: expect.stringMatching(/^portreeve_(tenant|system)$/) });
});

test("work that throws leaves nothing behind", async () => {
  const failing = single.asSystem(async (trx) => {
    await trx.insertInto("customers").values({ name: "Never" }).execute();
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await testDatabase.dump()).not.toContain("Never");
});

test("a transaction whose failed statement was swallowed is reported, not taken for committed", async () => {
  const swallowing = single.asSystem(async (trx) => {
    await sql`select 1 / 0`.execute(trx).catch(() => {});
    return "done";
  });
  await expect(swallowing).rejects.toThrow(AbortedTransactionError);
  expect(await single.asSystem(scope)).toMatchObject({ role: "portreeve_system" });
});

test("a customer id that is not a UUID is refused before anything is sent", async () => {
  const injected = `${customer}'; set role portreeve_system; --`;
  await expect(single.asCustomer(injected, scope)).rejects.toThrow(TypeError);
});

test("a transaction cannot be used after its work has ended", async () => {
  let kept: Trx | undefined;
  await single.asSystem(async (trx) => {
    kept = trx;
  });
  await expect(kept?.selectFrom("customers").selectAll().execute()).rejects.toThrow(/committed/);
});

test("statements and idle transactions have time limits", async () => {
  const limits = await single.asSystem((trx) =>
    sql<{ statement: string; idle: string }>`
      select current_setting('statement_timeout') as statement,
             current_setting('idle_in_transaction_session_timeout') as idle`.execute(trx),
  );
  expect(limits.rows).toEqual([{ statement: "10s", idle: "15s" }]);
});

test("a bigint arrives as text, with all its digits", async () => {
  const { rows } = await single.asSystem((trx) =>
    sql<{ big: string }>`select 9007199254740993::bigint as big`.execute(trx),
  );
  expect(rows).toEqual([{ big: "9007199254740993" }]);
});

test("a connection the server ends inside a transaction fails that work and is replaced", async () => {
  const ended = single.asSystem(async (trx) => {
    const row = await scope(trx);
    await onServer(`select pg_terminate_backend(${row?.pid})`);
    await trx.selectFrom("customers").selectAll().execute();
  });
  await expect(ended).rejects.toThrow();
  expect(await single.asSystem(scope)).toMatchObject({ role: "portreeve_system" });
});

test("an idle connection the server ends does not end the process and is replaced", async () => {
  const before = await single.asSystem(scope);
  await onServer(`select pg_terminate_backend(${before?.pid})`);
  await expect
    .poll(
      () =>
        single.ping().then(
          () => "answers",
          () => "fails",
        ),
      SOON,
    )
    .toBe("answers");
  expect((await single.asSystem(scope))?.pid).not.toBe(before?.pid);
});

test("a link that swallows everything fails the work, and its connection is replaced", async () => {
  await using relay = await Relay.open(testDatabase.connectionString);
  const url = new URL(relay.url);
  url.searchParams.set("query_timeout", "1000");
  await using database = await Database.open({ connection: url.href, maxConnections: 1, log: silentLog });
  const work = database.asSystem(async (trx) => {
    await scope(trx);
    relay.swallow();
    await scope(trx);
  });
  await expect(work).rejects.toThrow("Query read timeout");
  expect(await database.asSystem(scope)).toMatchObject({ role: "portreeve_system" });
});

test("a refused opening leaves no failed transaction on the connection", async () => {
  const stranger = `stranger_${randomUUID().replaceAll("-", "")}`;
  await onServer(`create role ${stranger} login password 'p'`);
  const url = new URL(testDatabase.connectionString);
  Object.assign(url, { username: stranger, password: "p" });
  const refused = await Database.open({ connection: url.href, maxConnections: 1, log: silentLog });
  await expect(refused.asSystem(scope)).rejects.toThrow(/permission denied to set role/);
  await refused.ping();
  await refused.close();
  await onServer(`drop role ${stranger}`);
});

test("a statement whose role is refused does not run at all", async () => {
  const stranger = `stranger_${randomUUID().replaceAll("-", "")}`;
  await onServer(`create role ${stranger} login password 'p'; create table told (by text); grant insert on told to ${stranger};
    create function tell() returns text security definer language sql as 'insert into told values (1) returning by'`);
  const url = new URL(testDatabase.connectionString);
  Object.assign(url, { username: stranger, password: "p" });
  const refused = await Database.open({ connection: url.href, maxConnections: 1, log: silentLog });
  const tell = (trx: Trx) => sql`insert into told values ('me')`.execute(trx);
  for (const attempt of [
    () => refused.asSystem(tell),
    () => refused.asCustomer(customer, tell),
    () => refused.readAsCustomer(customer, tell),
    () => refused.readAsSystem((trx) => sql`select tell()`.execute(trx)),
  ]) {
    await expect(attempt()).rejects.toThrow(/permission denied to set role/);
  }
  await refused.close();
  const client = await openClient(testDatabase.connectionString);
  const { rows } = await client.query("select * from told").finally(() => client.end());
  expect(rows).toEqual([]);
  await onServer(`drop function tell; drop table told; drop role ${stranger}`);
});

test("a reading sees the customer's rows, statement by statement, and leaves nothing on the connection", async () => {
  const seen = await single.readAsCustomer(customer, async (trx) => [await scope(trx), await scope(trx)]);
  for (const row of seen) expect(row).toMatchObject({ role: "portreeve_tenant", customer });
  expect(await single.readAsSystem(scope)).toMatchObject({ role: "portreeve_system", customer: null });
  expect(await sessionOf(single)).toMatchObject({ customer: null, pid: seen[0]?.pid });
});

test("a reading writes nothing, and its connection goes on", async () => {
  const before = await single.asSystem(scope);
  const writing = single.readAsSystem((trx) => trx.insertInto("customers").values({ name: "no" }).execute());
  await expect(writing).rejects.toMatchObject({ code: "25006" });
  await expect(single.readAsSystem((trx) => notify(trx, "sites"))).rejects.toThrow(TypeError);
  expect(await single.asSystem(scope)).toEqual(before);
});

test("a statement is right again after its first use on a connection failed", async () => {
  await using fresh = await Database.open({
    connection: testDatabase.connectionString,
    maxConnections: 1,
    log: silentLog,
  });
  const divide = (by: number) =>
    fresh.asSystem((trx) => sql<{ share: number }>`select 10 / ${by}::int as share`.execute(trx));
  await expect(divide(0)).rejects.toThrow("division by zero");
  await expect(fresh.asSystem((trx) => sql`select nonsense`.execute(trx))).rejects.toMatchObject({
    code: "42703",
  });
  expect((await divide(5)).rows).toEqual([{ share: 2 }]);
  expect((await divide(2)).rows).toEqual([{ share: 5 }]);
});

test("a value that can't be sent fails its statement alone", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  await expect(single.asSystem((trx) => sql`select ${circle}::jsonb`.execute(trx))).rejects.toThrow(
    /circular/,
  );
  expect(await single.asSystem(scope)).toMatchObject({ role: "portreeve_system" });
});

test("a connection whose server takes no more writes is not used again", async () => {
  const name = new URL(testDatabase.connectionString).pathname.slice(1);
  const write = (database: Database) =>
    database.asSystem((trx) => trx.insertInto("customers").values({ name: "written" }).execute());
  await onServer(`alter database ${name} set default_transaction_read_only = on`);
  await using database = await Database.open({
    connection: testDatabase.connectionString,
    maxConnections: 1,
    log: silentLog,
  });
  const before = await database.asSystem(scope);
  const refused = await write(database).catch((error) => error);
  await onServer(`begin read write; alter database ${name} reset default_transaction_read_only; commit`);
  expect(refused).toMatchObject({ code: "25006" });
  expect(isUnavailable(refused)).toBe(true);
  await write(database);
  expect((await database.asSystem(scope))?.pid).not.toBe(before?.pid);
});

test("closing waits for work under way and refuses new work", async () => {
  const closing = await Database.open({ connection: testDatabase.connectionString, log: silentLog });
  const order: string[] = [];
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const work = closing
    .asSystem(async () => {
      begun.resolve();
      await goOn.promise;
    })
    .then(() => order.push("work"));
  await begun.promise;
  const closed = closing.close().then(() => order.push("closed"));
  await expect(closing.ping()).rejects.toThrow();
  goOn.resolve();
  await Promise.all([work, closed]);
  expect(order).toEqual(["work", "closed"]);
});

async function onServer(statement: string): Promise<void> {
  const client = await openClient(testDatabase.connectionString);
  await client.query(statement).finally(() => client.end());
}
