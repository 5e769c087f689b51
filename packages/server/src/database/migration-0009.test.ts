/** What 0009_split_sites.sql makes of a database that has rows in every table. */
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPastDatabase, type PastDatabase } from "./migrations.fixture.ts";
import {
  BARE,
  CUSTOMER,
  FULL,
  id,
  LAST_BEFORE_SPLIT,
  OTHER_POLICY,
  ROWS,
} from "./previous-version.fixture.ts";

const SITES_AFTER = `
  select to_jsonb(sites) || to_jsonb(site_connections) || to_jsonb(site_policies) || to_jsonb(site_certificates)
           || to_jsonb(site_sync) as site
    from sites
    join site_connections on site_connections.site_id = sites.id and site_connections.customer_id = sites.customer_id
    join site_policies on site_policies.site_id = sites.id and site_policies.customer_id = sites.customer_id
    join site_certificates on site_certificates.site_id = sites.id and site_certificates.customer_id = sites.customer_id
    join site_sync on site_sync.site_id = sites.id and site_sync.customer_id = sites.customer_id
   order by sites.id`;
const RENAMED = {
  way_in_armed: "management_path_armed",
  way_in_problem: "management_path_problem",
  way_in_problem_change: "management_path_problem_change",
} as Record<string, string>;
const PARTS = ["site_connections", "site_policies", "site_certificates", "site_sync"];

let past: PastDatabase;
let owner: pg.Client;
let sitesBefore: Record<string, unknown>[];
let othersBefore: Map<string, unknown[]>;

beforeAll(async () => {
  past = await openPastDatabase(LAST_BEFORE_SPLIT);
  owner = past.owner;
  await owner.query(`begin; ${ROWS} commit`);
  sitesBefore = (await owner.query("select to_jsonb(sites) as site from sites order by id")).rows.map(
    ({ site }) => site,
  );
  othersBefore = await others();
  await past.migrateTo("0009_split_sites.sql");
});
afterAll(() => past?.[Symbol.asyncDispose]());

/** Every table of before but `sites` and the record of migrations, with its rows. */
async function others(): Promise<Map<string, unknown[]>> {
  const { rows: tables } = await owner.query(
    `select relname as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace
        and relname <> all ($1) order by 1`,
    [["sites", "schema_migrations", ...PARTS]],
  );
  const found = new Map<string, unknown[]>();
  for (const { name } of tables) {
    found.set(name, (await owner.query(`select to_jsonb(t) as row from ${name} t order by 1`)).rows);
  }
  return found;
}

test("the data of before had a row in every table", () => {
  expect(othersBefore.size).toBe(16);
  for (const [table, rows] of othersBefore) expect([table, rows.length > 0]).toEqual([table, true]);
  expect(Object.values(sitesBefore[0] ?? {}).filter((value) => value === null)).toEqual([]);
});

test("what was known of a site is known of it still, each column by its name or its new one", async () => {
  const { rows } = await owner.query(SITES_AFTER);
  const expected = sitesBefore.map((before) => {
    const renamed = Object.entries(before).map(([column, value]) => [RENAMED[column] ?? column, value]);
    return { ...Object.fromEntries(renamed), site_id: before.id, changed_at: before.updated_at };
  });
  expect(rows.map(({ site }) => site)).toEqual(expected);
});

test("no column is in two of the tables, but the site's id and its customer", async () => {
  const { rows } = await owner.query(
    `select attname as name from pg_attribute
      where attrelid = any ($1::regclass[]) and attnum > 0 and not attisdropped
      group by 1 having count(*) > 1 order by 1`,
    [["sites", ...PARTS]],
  );
  expect(rows.map(({ name }) => name)).toEqual(["customer_id", "site_id"]);
});

test("the other tables are as they were", async () => {
  expect(await others()).toEqual(othersBefore);
});

test("each role reads and changes a site in all of its tables, a customer its own alone", async () => {
  const count = async (table: string) =>
    (await owner.query(`update ${table} set customer_id = customer_id`)).rowCount;
  for (const [role, expected] of [
    ["portreeve_tenant", 2],
    ["portreeve_system", 3],
  ] as const) {
    await owner.query(`begin; set local role ${role}; set local portreeve.customer_id = '${CUSTOMER}'`);
    for (const table of ["sites", ...PARTS])
      expect([role, table, await count(table)]).toEqual([role, table, expected]);
    await owner.query("rollback");
  }
});

test("a site that is deleted by its customer leaves nothing in the other tables", async () => {
  await owner.query(
    `begin; set local role portreeve_tenant; set local portreeve.customer_id = '${CUSTOMER}'`,
  );
  await owner.query("delete from sites where id = $1", [FULL]);
  await owner.query("commit");
  for (const table of [...PARTS, "rollout_sites", "credentials", "transient_access", "exposure_schedule"]) {
    const { rows } = await owner.query(`select from ${table} where site_id = $1`, [FULL]);
    expect([table, rows.length]).toEqual([table, 0]);
  }
});

test.each([
  ["a port that is none", "update site_connections set api_port = 0", /check/],
  ["a transport that is none", "update site_connections set management_transport = 'ssh'", /check/],
  ["a state that is none", "update site_sync set sync_state = 'fine'", /check/],
  ["a policy that is none", `update site_policies set policy_id = '${id(99)}'`, /foreign key/],
  ["a revision that is none", `update site_policies set policy_revision_id = '${id(99)}'`, /foreign key/],
  ["another customer's policy", `update site_policies set policy_id = '${OTHER_POLICY}'`, /foreign key/],
  [
    "a second row",
    `insert into site_sync (site_id, customer_id) values ('${BARE}', '${CUSTOMER}')`,
    /unique/,
  ],
])("%s is refused", async (_what, statement, reason) => {
  await expect(owner.query(statement)).rejects.toThrow(reason);
});
