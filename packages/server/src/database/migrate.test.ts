import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openClient } from "./connection.ts";
import { Database } from "./database.ts";
import { silentLog } from "./log.ts";
import { migrate, readMigrations, refuseOldServer } from "./migrate.ts";
import { createEmptyDatabase } from "./testing.ts";

let empty: Awaited<ReturnType<typeof createEmptyDatabase>>;
let directory: string;

beforeAll(async () => {
  empty = await createEmptyDatabase();
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await empty.drop();
});
beforeEach(async () => {
  if (directory) await rm(directory, { recursive: true });
  directory = await mkdtemp(join(tmpdir(), "portreeve-migrations-"));
  await emptySchema();
});

const emptySchema = () =>
  query("drop schema public cascade; create schema public; grant usage on schema public to public");

const file = (name: string, sql: string) => writeFile(join(directory, name), sql);
const run = () => migrate(empty.connectionString, { log: silentLog, directory });
async function query(statement: string): Promise<pg.QueryResultRow[]> {
  const client = await openClient(empty.connectionString);
  const { rows } = await client.query(statement).finally(() => client.end());
  return rows;
}

test("files are applied in the order of their names, once", async () => {
  await file("0002_b.sql", "insert into t values (2)");
  await file("0001_a.sql", "create table t (n int); insert into t values (1)");
  expect(await run()).toEqual(["0001_a.sql", "0002_b.sql"]);
  expect(await run()).toEqual([]);
  expect(await query("select n from t order by n")).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a file added later is applied by the next start", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await run();
  await file("0002_b.sql", "insert into t values (2)");
  expect(await run()).toEqual(["0002_b.sql"]);
});

test("processes that start together apply each file once", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await file("0002_b.sql", "insert into t values (1)");
  const applied = await Promise.all([run(), run(), run(), run()]);
  expect(applied.flat()).toEqual(["0001_a.sql", "0002_b.sql"]);
  expect(await query("select n from t")).toEqual([{ n: 1 }]);
});

test("a file that fails leaves nothing of itself, keeps those before it and names the line", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await file("0002_b.sql", "insert into t values (1);\ninsert into nowhere values (1);\n");
  await expect(run()).rejects.toMatchObject({
    code: "migration-failed",
    migration: "0002_b.sql",
    message: 'migration 0002_b.sql: relation "nowhere" does not exist (line 2)',
  });
  expect(await query("select n from t")).toEqual([]);
  await file("0002_b.sql", "insert into t values (1)");
  expect(await run()).toEqual(["0002_b.sql"]);
});

test("a file changed after it was applied is refused before anything is applied", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await run();
  await file("0001_a.sql", "create table t (n bigint)");
  await file("0002_b.sql", "insert into t values (2)");
  await expect(run()).rejects.toMatchObject({ code: "migration-changed", migration: "0001_a.sql" });
  expect(await query("select n from t")).toEqual([]);
});

test("a database that a newer version has migrated is refused, with what to do", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await file("0002_b.sql", "-- additive, it says, but not in the form that counts\nselect 1");
  await run();
  await rm(join(directory, "0002_b.sql"));
  await expect(run()).rejects.toMatchObject({
    code: "migration-unknown",
    migration: "0002_b.sql",
    message: expect.stringMatching(/by a newer Portreeve.*stop this process and start the newer version$/),
  });
});

test("a version works on when a newer one has only added to its schema", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await file("0002_b.sql", "-- additive\nalter table t add column m int");
  await run();
  await rm(join(directory, "0002_b.sql"));
  expect(await run()).toEqual([]);
});

test("additive migrations of a newer version do not excuse another that changes more", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await file("0002_b.sql", "-- additive\nalter table t add column m int");
  await file("0003_c.sql", "alter table t drop column n");
  await run();
  await rm(join(directory, "0002_b.sql"));
  await rm(join(directory, "0003_c.sql"));
  await expect(run()).rejects.toMatchObject({ code: "migration-unknown", migration: "0003_c.sql" });
});

test("our tables are made and found in public, whatever the user is called", async () => {
  const role = `namesake_${randomUUID().replaceAll("-", "")}`;
  await query(
    `create role ${role} superuser login password 'p'; create schema ${role} authorization ${role}`,
  );
  const namesake = new URL(empty.connectionString);
  Object.assign(namesake, { username: role, password: "p" });
  await file("0001_a.sql", "create table t (n int)");
  await migrate(namesake.href, { log: silentLog, directory });
  const client = await openClient(namesake.href);
  const { rows } = await client
    .query("select 't'::regclass = 'public.t'::regclass as found")
    .finally(() => client.end());
  expect(rows).toEqual([{ found: true }]);
  await query(`reassign owned by ${role} to current_user; drop owned by ${role} cascade; drop role ${role}`);
});

test("a new file that sorts before an applied one is refused", async () => {
  await file("0002_b.sql", "create table t (n int)");
  await run();
  await file("0001_a.sql", "insert into t values (1)");
  await expect(run()).rejects.toMatchObject({ code: "migration-out-of-order", migration: "0001_a.sql" });
});

test("a migration waits for a table in use without holding up its readers, and is applied in the end", async () => {
  await file("0001_a.sql", "create table t (n int)");
  await run();
  await file("0002_b.sql", "alter table t add column m int");
  const reader = await openClient(empty.connectionString);
  await reader.query("begin; select * from t");
  const retried = Promise.withResolvers<void>();
  const log = { ...silentLog, info: () => retried.resolve() };
  const migrated = migrate(empty.connectionString, { log, directory });
  await retried.promise;
  await reader.query("commit");
  expect(await migrated).toEqual(["0002_b.sql"]);
  await reader.end();
});

test("a server that is too old is refused before anything is applied", async () => {
  const client = await openClient(empty.connectionString);
  await expect(refuseOldServer(client, 1_000)).rejects.toThrow(
    /^DATABASE_URL: PostgreSQL 1000 or newer is needed, this server is \d/,
  );
  await expect(refuseOldServer(client, 16)).resolves.toBeUndefined();
  await client.end();
});

test("our own migrations are found, in order, and are not empty", async () => {
  const migrations = await readMigrations();
  expect(migrations[0]?.name).toBe("0001_initial.sql");
  expect(migrations.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name).sort());
  for (const { sql } of migrations) expect(sql).toMatch(/\S/);
});

test("our own migrations apply for an owner that is no superuser but was granted the roles", async () => {
  await migrate(empty.connectionString, { log: silentLog }); // makes the roles when this is the first test to need them
  await emptySchema();
  const owner = new URL(empty.connectionString);
  const role = owner.pathname.slice(1).replace("test", "owner");
  Object.assign(owner, { username: role, password: "p" });
  await query(`create role ${role} login password 'p'; grant create on schema public to ${role};
               grant portreeve_tenant, portreeve_system to ${role}`);
  await migrate(owner.href, { log: silentLog });
  await using database = await Database.open({ connection: owner.href, log: silentLog });
  const customers = await database.asSystem((trx) => trx.selectFrom("customers").selectAll().execute());
  expect(customers).toEqual([]);
  await database.close();
  await query(`drop owned by ${role}; drop role ${role}`);
});
