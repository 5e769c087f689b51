/** What 0002_policy_revisions.sql makes of a database that has policies and sites. */
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPastDatabase, type PastDatabase } from "./migrations.fixture.ts";

const CUSTOMER = "00000000-0000-4000-8000-00000000000c";
const POLICY = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const SERVICES = { ssh: { enabled: true, port: 2022, networks: ["10.0.0.0/8"] } };

let past: PastDatabase;
let owner: pg.Client;

beforeAll(async () => {
  past = await openPastDatabase("0001_initial.sql");
  owner = past.owner;
  await owner.query("insert into customers (id, name) values ($1, 'c')", [CUSTOMER]);
  for (const [id, port] of [
    [POLICY, 2022],
    [OTHER, 2023],
  ] as const) {
    await owner.query(
      `insert into policies (id, customer_id, name, slug, is_default, services, trusted_networks, custom_input_rules,
                             brute_force_protection, management_transport)
       values ($1, $2, 'p', 'slug-' || $3::boolean, $3, $4, '{10.0.0.0/8}', false, true, 'api-ssl')`,
      [id, CUSTOMER, id === POLICY, { ssh: { ...SERVICES.ssh, port } }],
    );
  }
  await owner.query(
    `insert into sites (customer_id, policy_id, name, address, api_port, sync_state)
     values ($1, $2, 'in sync', '192.0.2.1', 8728, 'in_sync'), ($1, $3, 'failing', '192.0.2.2', 8728, 'failed')`,
    [CUSTOMER, POLICY, OTHER],
  );
  await past.migrateTo("0002_policy_revisions.sql");
});
afterAll(() => past?.[Symbol.asyncDispose]());

test("every policy points at its first revision, which says what the policy said", async () => {
  const { rows } = await owner.query(
    `select policies.id, revision.number, revision.policy_id, revision.customer_id, revision.services,
            revision.trusted_networks, revision.custom_input_rules, revision.brute_force_protection,
            revision.management_transport, revision.created_at = policies.updated_at as dated
       from policies join policy_revisions revision on revision.id = policies.revision_id order by policies.id`,
  );
  const first = {
    number: 1,
    customer_id: CUSTOMER,
    trusted_networks: ["10.0.0.0/8"],
    custom_input_rules: false,
    brute_force_protection: true,
    management_transport: "api-ssl",
    dated: true,
  };
  expect(rows).toEqual([
    { ...first, id: POLICY, policy_id: POLICY, services: SERVICES },
    { ...first, id: OTHER, policy_id: OTHER, services: { ssh: { ...SERVICES.ssh, port: 2023 } } },
  ]);
});

test("every site is under its policy's revision, verified where its router was in sync", async () => {
  const { rows } = await owner.query(
    `select sites.name, policies.id as policy, sites.policy_revision_id = policies.revision_id as current,
            sites.verified_revision_id = policies.revision_id as verified
       from sites join policies on policies.id = sites.policy_id order by sites.name`,
  );
  expect(rows).toEqual([
    { name: "failing", policy: OTHER, current: true, verified: null },
    { name: "in sync", policy: POLICY, current: true, verified: true },
  ]);
});

test("the content of a revision is changed by nobody, neither by a customer nor by the system", async () => {
  for (const role of ["portreeve_tenant", "portreeve_system"]) {
    const change = owner.query(`set role ${role}; update policy_revisions set number = 9`);
    await expect(change).rejects.toThrow(/permission denied/);
    await owner.query("reset role");
  }
});
