import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertSites } from "../sites/testing.fixture.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";
import type { Trx } from "./trx.ts";

let testDatabase: TestDatabase;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  await testDatabase.database.asSystem(async (trx) => {
    for (const owner of [A, B]) await addCustomer(trx, owner);
  });
});
afterAll(() => testDatabase.drop());

/** Two customers; every row of theirs has an id that is the customer's with another first digit. */
const A = "00000000-0000-4000-8000-00000000000a";
const B = "00000000-0000-4000-8000-00000000000b";
const idOf = (digit: number, customer: string) => `${digit}${customer.slice(1)}`;

async function addCustomer(trx: Trx, id: string): Promise<void> {
  const [token, policy, site] = [idOf(1, id), idOf(2, id), idOf(3, id)];
  const [gateway, grant] = [idOf(6, id), idOf(7, id)];
  const [revision, rollout] = [idOf(4, id), idOf(5, id)];
  const bytes = Buffer.from(id);
  const statements = [
    sql`insert into customers (id, name) values (${id}, 'customer')`,
    sql`insert into api_tokens (id, customer_id, name, token_hash, scopes) values (${token}, ${id}, 't', ${bytes}, '{}')`,
    sql`insert into data_keys (customer_id, wrapped_key, key_version) values (${id}, ${bytes}, 1)`,
    sql`insert into audit_events (customer_id, actor, action, subject_type) values (${id}, 'a', 'b', 'c')`,
    sql`insert into idempotency_keys (customer_id, key, request_hash, status, response)
        values (${id}, 'k', ${bytes}, 200, ${bytes})`,
    sql`insert into policies (id, customer_id, name, slug, revision_id)
        values (${policy}, ${id}, 'p', ${id}, ${revision})`,
    sql`insert into policy_revisions (id, customer_id, policy_id, number, services, trusted_networks)
        values (${revision}, ${id}, ${policy}, 1, '{}', '{}')`,
    sql`insert into sites (id, customer_id, name) values (${site}, ${id}, 's')`,
    sql`insert into site_connections (site_id, customer_id, address, api_port)
        values (${site}, ${id}, '192.0.2.1', 8728)`,
    sql`insert into site_policies (site_id, customer_id, policy_id, policy_revision_id)
        values (${site}, ${id}, ${policy}, ${revision})`,
    sql`insert into site_certificates (site_id, customer_id) values (${site}, ${id})`,
    sql`insert into site_sync (site_id, customer_id) values (${site}, ${id})`,
    sql`insert into rollouts (id, customer_id, policy_id, revision_id)
        values (${rollout}, ${id}, ${policy}, ${revision})`,
    sql`insert into rollout_sites (customer_id, rollout_id, site_id, from_revision_id)
        values (${id}, ${rollout}, ${site}, ${revision})`,
    sql`insert into credentials (customer_id, site_id, username, password) values (${id}, ${site}, 'u', ${bytes})`,
    sql`insert into gateways (id, name, token_hash, entry_point, first_port, last_port)
        values (${gateway}, ${id}, ${bytes}, 'localhost', 40000, 40001)`,
    sql`insert into transient_access (id, customer_id, site_id, token_id, type, username, password, gateway_id, port,
                                      full_access, allow_rfc1918, expires_at)
        values (${grant}, ${id}, ${site}, ${token}, 'ssh', ${id}, ${bytes}, ${gateway}, 40000, false, false, now())`,
    sql`insert into grant_leases (grant_id, customer_id, gateway_id, fence, until)
        values (${grant}, ${id}, ${gateway}, 1, now())`,
    sql`insert into site_hardening_fixes (customer_id, site_id, fix) values (${id}, ${site}, 'socks')`,
    sql`insert into exposure_checks (customer_id, site_id, address, from_address, policy_id, policy_name, answered, ports)
        values (${id}, ${site}, '192.0.2.1', '192.0.2.2', ${policy}, 'p', true, '[]')`,
    sql`insert into exposure_schedule (customer_id, site_id, next_check_at) values (${id}, ${site}, now())`,
    sql`insert into certificate_authorities (customer_id, certificate, private_key, fingerprint, subject, not_after)
        values (${id}, 'c', ${bytes}, 'f', 's', now())`,
    sql`insert into exposure_requests (customer_id) values (${id})`,
    sql`insert into workflows (customer_id, site_id, kind, state, generation) values (${id}, ${site}, 'adopt', 'proving', 1)`,
    sql`insert into link_handovers (customer_id, site_id, kind, digest, generation, wake_key, until)
        values (${id}, ${site}, 'observe', 'd', 1, ${id}, now())`,
  ];
  for (const statement of statements) await statement.execute(trx);
}

/** Every table with a customer's rows, from the catalogue, so that a table added later is tested too. */
const tenantTables = (trx: Trx) =>
  sql<{ name: string; secured: boolean; policies: string[] }>`
    select c.relname as name, c.relrowsecurity as secured,
           array(select p.polname::text from pg_policy p where p.polrelid = c.oid order by 1) as policies
      from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = 'customer_id'
     order by 1`
    .execute(trx)
    .then(({ rows }) => rows);

test("every table that carries customer_id has row-level security for both roles", async () => {
  const tables = await testDatabase.database.asSystem(tenantTables);
  expect(tables.length).toBeGreaterThan(7);
  for (const table of tables) expect(table).toMatchObject({ secured: true, policies: ["system", "tenant"] });
});

test("neither role owns a table, may bypass row-level security or log in", async () => {
  const { rows } = await testDatabase.database.asSystem((trx) =>
    sql`select r.rolname, r.rolsuper, r.rolbypassrls, r.rolcanlogin,
               exists (select from pg_class c where c.relowner = r.oid) as owns
          from pg_roles r where r.rolname in ('portreeve_tenant', 'portreeve_system')`.execute(trx),
  );
  const harmless = { rolsuper: false, rolbypassrls: false, rolcanlogin: false, owns: false };
  expect(rows).toEqual([expect.objectContaining(harmless), expect.objectContaining(harmless)]);
});

test("a customer sees its own rows of every table and nobody else's", async () => {
  for (const { name } of await testDatabase.database.asSystem(tenantTables)) {
    const rows = (customer: string) =>
      testDatabase.database.asCustomer(customer, (trx) =>
        sql<{ customer_id: string }>`select customer_id from ${sql.table(name)}`.execute(trx),
      );
    const seen = { a: (await rows(A)).rows, b: (await rows(B)).rows };
    expect({ name, ...seen }).toEqual({ name, a: [{ customer_id: A }], b: [{ customer_id: B }] });
  }
});

test("a customer sees itself alone among the customers", async () => {
  const { rows } = await testDatabase.database.asCustomer(A, (trx) =>
    sql`select id from customers`.execute(trx),
  );
  expect(rows).toEqual([{ id: A }]);
});

test("a customer changes and deletes nobody else's rows, whatever it asks for", async () => {
  const changeable = [
    "api_tokens",
    "data_keys",
    "idempotency_keys",
    "policies",
    "sites",
    "credentials",
    "transient_access",
  ];
  for (const name of changeable)
    await testDatabase.database.asCustomer(A, async (trx) => {
      const table = sql.table(name);
      const updated = await sql`update ${table} set created_at = now() where customer_id = ${B}`.execute(trx);
      const deleted = await sql`delete from ${table} where customer_id = ${B}`.execute(trx);
      expect([name, updated.numAffectedRows, deleted.numAffectedRows]).toEqual([name, 0n, 0n]);
    });
});

test("a customer changes nobody else's rollouts", async () => {
  for (const name of ["rollouts", "rollout_sites"])
    await testDatabase.database.asCustomer(A, async (trx) => {
      const updated = await sql`update ${sql.table(name)} set reason = 'r' where customer_id = ${B}`.execute(
        trx,
      );
      expect([name, updated.numAffectedRows]).toEqual([name, 0n]);
    });
});

const SITE_TABLES = ["site_connections", "site_policies", "site_certificates", "site_sync"];

test("a customer changes nothing of what is known of another's sites, and adds nothing to it", async () => {
  for (const name of SITE_TABLES) {
    const update = (owner: string) =>
      testDatabase.database.asCustomer(A, (trx) =>
        sql`update ${sql.table(name)} set site_id = site_id where customer_id = ${owner}`.execute(trx),
      );
    expect([name, (await update(A)).numAffectedRows]).toEqual([name, 1n]);
    expect([name, (await update(B)).numAffectedRows]).toEqual([name, 0n]);
    const steal = testDatabase.database.asCustomer(A, (trx) =>
      sql`update ${sql.table(name)} set customer_id = ${B}`.execute(trx),
    );
    await expect(steal, name).rejects.toThrow(/row-level security/);
  }
});

test("what is known of a site goes with it and not before it", async () => {
  const { database } = testDatabase;
  const site = idOf(7, A);
  const policy = [idOf(2, A), idOf(4, A)] as const;
  const count = async (name: string) => {
    const { rows } = await database.asSystem((trx) =>
      sql`select from ${sql.table(name)} where site_id = ${site}`.execute(trx),
    );
    return rows.length;
  };
  await database.asCustomer(A, (trx) =>
    insertSites(trx, [
      {
        customer_id: A,
        site: { id: site },
        policy: { policy_id: policy[0], policy_revision_id: policy[1] },
      },
    ]),
  );
  for (const name of SITE_TABLES) {
    for (const as of [database.asSystem.bind(database), database.asCustomer.bind(database, A)]) {
      const alone = as((trx: Trx) => sql`delete from ${sql.table(name)}`.execute(trx));
      await expect(alone, name).rejects.toThrow(/permission denied/);
    }
    expect([name, await count(name)]).toEqual([name, 1]);
  }
  await database.asCustomer(A, (trx) => sql`delete from sites where id = ${site}`.execute(trx));
  for (const name of SITE_TABLES) expect([name, await count(name)]).toEqual([name, 0]);
});

test("a site that lacks its row in one of the tables is refused", async () => {
  const alone = testDatabase.database.asCustomer(A, (trx) =>
    sql`insert into sites (customer_id, name) values (${A}, 'alone')`.execute(trx),
  );
  await expect(alone).rejects.toThrow(/foreign key/);
});

test("a customer cannot give a row to another, by insert or by update", async () => {
  const insert = testDatabase.database.asCustomer(A, (trx) =>
    sql`insert into audit_events (customer_id, actor, action, subject_type) values (${B}, 'a', 'b', 'c')`.execute(
      trx,
    ),
  );
  await expect(insert).rejects.toThrow(/row-level security/);
  const update = testDatabase.database.asCustomer(A, (trx) =>
    sql`update data_keys set customer_id = ${B}`.execute(trx),
  );
  await expect(update).rejects.toThrow(/row-level security/);
});

test("a customer cannot point at another's rows, and learns nothing from trying", async () => {
  const pointAt = (policy: string) =>
    testDatabase.database
      .asCustomer(A, (trx) => sql`update site_policies set policy_id = ${policy}`.execute(trx))
      .catch((error: Error) => error.message);
  const existing = await pointAt(idOf(2, B));
  expect(existing).toMatch(/foreign key/);
  expect(await pointAt(idOf(9, B))).toBe(existing);
});

test("the tenant role without a customer sees nothing", async () => {
  const nobody = "00000000-0000-4000-8000-000000000000";
  await testDatabase.database.asCustomer(nobody, async (trx) => {
    await sql`set local portreeve.customer_id = ''`.execute(trx);
    for (const { name } of await tenantTables(trx))
      expect([name, (await sql`select from ${sql.table(name)}`.execute(trx)).rows.length]).toEqual([name, 0]);
  });
});

test("the record of migrations is the owner's alone", async () => {
  const read = sql`select * from schema_migrations`;
  await expect(testDatabase.database.asCustomer(A, (trx) => read.execute(trx))).rejects.toThrow(
    /permission denied/,
  );
  await expect(testDatabase.database.asSystem((trx) => read.execute(trx))).rejects.toThrow(
    /permission denied/,
  );
});

describe.each([
  {
    role: "the tenant role",
    as: <T>(work: (trx: Trx) => Promise<T>) => testDatabase.database.asCustomer(A, work),
  },
  {
    role: "the system role",
    as: <T>(work: (trx: Trx) => Promise<T>) => testDatabase.database.asSystem(work),
  },
])("$role", ({ as }) => {
  test.each([
    sql`update audit_events set actor = 'somebody else'`,
    sql`delete from audit_events`,
    sql`truncate audit_events`,
  ])("appends audit events and cannot change, delete or truncate them (%#)", async (statement) => {
    await expect(as((trx) => statement.execute(trx))).rejects.toThrow(/permission denied/);
  });
});
