/** A whole upgrade: a filled database of the version before, and everything that has come since. */
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPastDatabase, type PastDatabase } from "./migrations.fixture.ts";
import { CUSTOMER, LAST_BEFORE_SPLIT, ROWS } from "./previous-version.fixture.ts";

/** Sorts after every migration. */
const NEWEST = "9999";

let past: PastDatabase;
let owner: pg.Client;
let before: Map<string, number>;

beforeAll(async () => {
  past = await openPastDatabase(LAST_BEFORE_SPLIT);
  owner = past.owner;
  await owner.query(`begin; ${ROWS} commit`);
  before = await countRows();
  await past.migrateTo(NEWEST);
});
afterAll(() => past?.[Symbol.asyncDispose]());

/** Rows of each table but the record of migrations. */
async function countRows(): Promise<Map<string, number>> {
  const { rows: tables } = await owner.query(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' order by 1",
  );
  const counts = new Map<string, number>();
  for (const { name } of tables) {
    const { rows } = await owner.query(`select count(*)::integer as count from ${name}`);
    counts.set(name, rows[0].count);
  }
  return counts;
}

test("the version before had a row in every table", () => {
  expect([...before].filter(([, count]) => count === 0)).toEqual([]);
});

test("no table that stays has lost a row", async () => {
  const now = await countRows();
  const kept = [...before].filter(([name]) => now.has(name));
  expect(kept.length).toBeGreaterThan(0);
  for (const [name, count] of kept) expect([name, now.get(name)]).toEqual([name, count]);
});

test("every table that knows its customer binds both roles", async () => {
  const { rows } = await owner.query(
    `select relname as name, relrowsecurity as secured,
            (select count(*)::integer from pg_policy where polrelid = pg_class.oid) as policies
       from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace
        and exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'customer_id')
      order by 1`,
  );
  expect(rows.length).toBeGreaterThan(15);
  for (const { name, secured, policies } of rows)
    expect([name, secured, policies >= 2]).toEqual([name, true, true]);
});

test("a customer sees its own sites and no other's", async () => {
  await owner.query(
    `begin; set local role portreeve_tenant; set local portreeve.customer_id = '${CUSTOMER}'`,
  );
  const { rows } = await owner.query("select distinct customer_id from sites");
  await owner.query("rollback");
  expect(rows).toEqual([{ customer_id: CUSTOMER }]);
});
