/** What 0009_split_sites.sql makes of a database that has rows in every table. */
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPastDatabase, type PastDatabase } from "./migrations.fixture.ts";

const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const [CUSTOMER, OTHER] = [id(1), id(2)];
const [POLICY, REVISION, NEWER, TOKEN, ROLLOUT] = [id(3), id(4), id(5), id(6), id(7)];
/** A site with a value in every column, and one with as few as may be. */
const [FULL, BARE] = [id(8), id(9)];
const [OTHER_POLICY, OTHER_REVISION, OTHER_SITE] = [id(10), id(11), id(12)];

const ROWS = `
  insert into customers (id, name) values ('${CUSTOMER}', 'c'), ('${OTHER}', 'other');
  insert into api_tokens (id, customer_id, name, token_hash, scopes)
    values ('${TOKEN}', '${CUSTOMER}', 't', '\\x01', '{sites:read}');
  insert into data_keys (customer_id, wrapped_key, key_version) values ('${CUSTOMER}', '\\x02', 1);
  insert into audit_events (customer_id, actor, action, subject_type) values ('${CUSTOMER}', 'a', 'b', 'c');
  insert into idempotency_keys (customer_id, key, request_hash, status, response)
    values ('${CUSTOMER}', 'k', '\\x03', 200, '\\x04');
  insert into policies (id, customer_id, name, slug, is_default, revision_id)
    values ('${POLICY}', '${CUSTOMER}', 'p', 'p', true, '${NEWER}'),
           ('${OTHER_POLICY}', '${OTHER}', 'o', 'o', true, '${OTHER_REVISION}');
  insert into policy_revisions (id, customer_id, policy_id, number, services, trusted_networks)
    values ('${REVISION}', '${CUSTOMER}', '${POLICY}', 1, '{"ssh": {"enabled": true}}', '{10.0.0.0/8}'),
           ('${NEWER}', '${CUSTOMER}', '${POLICY}', 2, '{}', '{}'),
           ('${OTHER_REVISION}', '${OTHER}', '${OTHER_POLICY}', 1, '{}', '{}');
  insert into sites
    (id, customer_id, policy_id, policy_revision_id, verified_revision_id, name, address, api_port, next_api_port,
     management_transport, tls_fingerprint, keeps_certificate, management_address, reached_address, adoption_login,
     status, sync_state, sync_reason, sync_checked_at, identity, model, serial_number, version, last_seen_at,
     generation, observed_generation, checked_generation, created_at, updated_at, way_in_armed, way_in_problem,
     way_in_problem_change, certificates, certificate_request, certificate_number)
    values ('${FULL}', '${CUSTOMER}', '${POLICY}', '${NEWER}', '${REVISION}', 'full', 'Router.example.net', 8729, 8730,
     'api-ssl', 'abcdef', true, '198.51.100.7', '192.0.2.9', '\\x05', 'online', 'needs_attention', 'a reason',
     '2026-01-02 03:04:05.678901+00', 'core', 'RB5009', 'HC1', '7.18', '2026-01-02 03:04:06+00', 41, 39, 40,
     '2025-12-31 00:00:00+00', '2026-01-01 00:00:00+00', 'armed change', 'undone because', 'undone change',
     '[{"name": "portreeve-1", "fingerprint": "abcdef", "not_after": "2027-01-01T00:00:00Z", "issuer": "x"}]',
     '\\x06', 3);
  insert into sites (id, customer_id, policy_id, policy_revision_id, name, address, api_port)
    values ('${BARE}', '${CUSTOMER}', '${POLICY}', '${REVISION}', 'bare', '192.0.2.1', 8728),
           ('${OTHER_SITE}', '${OTHER}', '${OTHER_POLICY}', '${OTHER_REVISION}', 'other', '192.0.2.1', 8728);
  insert into rollouts (id, customer_id, policy_id, revision_id)
    values ('${ROLLOUT}', '${CUSTOMER}', '${POLICY}', '${NEWER}');
  insert into rollout_sites (customer_id, rollout_id, site_id, from_revision_id, state, wave, generation)
    values ('${CUSTOMER}', '${ROLLOUT}', '${FULL}', '${REVISION}', 'delivering', 1, 41);
  insert into credentials (customer_id, site_id, username, password) values ('${CUSTOMER}', '${FULL}', 'u', '\\x07');
  insert into transient_access (customer_id, site_id, token_id, type, username, password, port, full_access,
                                allow_rfc1918, expires_at)
    values ('${CUSTOMER}', '${FULL}', '${TOKEN}', 'ssh', 'u', '\\x08', 40000, false, false, now());
  insert into site_hardening_fixes (customer_id, site_id, fix) values ('${CUSTOMER}', '${FULL}', 'socks');
  insert into exposure_checks (customer_id, site_id, address, from_address, policy_id, policy_name, answered, ports)
    values ('${CUSTOMER}', '${FULL}', '192.0.2.9', '192.0.2.2', '${POLICY}', 'p', true, '[]');
  insert into exposure_schedule (customer_id, site_id, next_check_at) values ('${CUSTOMER}', '${FULL}', now());
  insert into exposure_requests (customer_id) values ('${CUSTOMER}');
  insert into certificate_authorities (customer_id, certificate, private_key, fingerprint, subject, not_after)
    values ('${CUSTOMER}', 'c', '\\x09', 'f', 's', now());`;

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
  past = await openPastDatabase("0008_exposure.sql");
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
