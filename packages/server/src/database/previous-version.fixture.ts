import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { openClient } from "./connection.ts";
import { silentLog } from "./log.ts";
import { migrate, readMigrations } from "./migrate.ts";
import { createEmptyDatabase } from "./testing.ts";

/** The last migration of the version before. */
const LAST = "0008_exposure.sql";

const id = (kind: string, number: number) => `00000000-0000-4000-8000-${kind.padStart(11, "0")}${number}`;

/** The ids of what the fixture holds, of the first customer and the second. */
export const IDS = {
  customer: id("c", 1),
  otherCustomer: id("c", 2),
  token: id("70", 1),
  policy: id("a", 1),
  otherPolicy: id("a", 2),
  revision: id("4e", 1),
  newerRevision: id("4e", 2),
  otherRevision: id("4e", 3),
  /** Everything about it is known. */
  site: id("5", 1),
  /** Not adopted yet. */
  newSite: id("5", 2),
  /** The second customer's. */
  otherSite: id("5", 3),
  grant: id("6", 1),
  rollout: id("7", 1),
  check: id("8", 1),
} as const;

const SERVICES = { ssh: { enabled: true, port: 2022, networks: ["10.0.0.0/8"] } };

export interface PreviousVersion extends AsyncDisposable {
  connectionString: string;
  /** The owner of the tables, who is bound by no row-level security. */
  owner: pg.Client;
  /** Rows of each table before the upgrade. */
  counts: ReadonlyMap<string, number>;
  /** Apply what has come since. @returns the names of the migrations */
  upgrade(): Promise<string[]>;
}

/** A database as the version before left it, with a row or more in every table. */
export async function createPreviousVersion(): Promise<PreviousVersion> {
  await using starting = new AsyncDisposableStack();
  const empty = await createEmptyDatabase();
  starting.defer(() => empty.drop());
  const { connectionString } = empty;
  await applyUntil(LAST, connectionString);
  const owner = await openClient(connectionString);
  starting.defer(() => owner.end());
  for (const [text, values] of rows()) await owner.query(text, values);
  const counts = await countRows(owner);
  const running = starting.move();
  return {
    connectionString,
    owner,
    counts,
    upgrade: () => migrate(connectionString, { log: silentLog }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function applyUntil(last: string, connectionString: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "portreeve-migrations-"));
  try {
    for (const { name } of await readMigrations()) {
      if (name > last) break;
      const file = fileURLToPath(new URL(`migrations/${name}`, import.meta.url));
      await copyFile(file, join(directory, name));
    }
    await migrate(connectionString, { log: silentLog, directory });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Rows of every table, those of the record of migrations apart. */
export async function countRows(owner: pg.Client): Promise<Map<string, number>> {
  const { rows: tables } = await owner.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' order by 1",
  );
  const counts = new Map<string, number>();
  for (const { name } of tables) {
    const { rows } = await owner.query<{ count: number }>(`select count(*)::integer as count from ${name}`);
    counts.set(name, rows[0]?.count ?? 0);
  }
  return counts;
}

type Insert = readonly [text: string, values: unknown[]];

/** In an order that its references allow. */
function rows(): Insert[] {
  return [
    insert("customers", { id: IDS.customer, name: "first" }),
    insert("customers", { id: IDS.otherCustomer, name: "second" }),
    ...policies(),
    ...sites(),
    ...ofTheFirstSite(),
    insert("data_keys", { customer_id: IDS.customer, wrapped_key: sealed("key"), key_version: 1 }),
    insert("audit_events", {
      customer_id: IDS.customer,
      actor: "token:admin",
      actor_id: IDS.token,
      action: "site.created",
      subject_type: "site",
      subject_id: IDS.site,
      site_id: IDS.site,
      detail: { name: "known" },
    }),
    insert("idempotency_keys", {
      customer_id: IDS.customer,
      key: "once",
      request_hash: sealed("hash"),
      status: 201,
      response: sealed("answer"),
    }),
    insert("certificate_authorities", {
      customer_id: IDS.customer,
      certificate: "PEM",
      private_key: sealed("key"),
      fingerprint: "ab".repeat(32),
      subject: "CN=Acme",
      not_after: "2030-01-01T00:00:00Z",
    }),
    insert("exposure_requests", { customer_id: IDS.customer }),
  ];
}

function policies(): Insert[] {
  const policy = (policyId: string, customer: string, revision: string, slug: string) =>
    insert("policies", {
      id: policyId,
      customer_id: customer,
      name: slug,
      slug,
      is_default: true,
      revision_id: revision,
    });
  const revision = (revisionId: string, customer: string, of: string, number: number) =>
    insert("policy_revisions", {
      id: revisionId,
      customer_id: customer,
      policy_id: of,
      number,
      services: SERVICES,
      trusted_networks: ["10.0.0.0/8"],
    });
  return [
    ["begin", []], // a policy and its revision point at each other until the commit
    policy(IDS.policy, IDS.customer, IDS.newerRevision, "first-default"),
    revision(IDS.revision, IDS.customer, IDS.policy, 1),
    revision(IDS.newerRevision, IDS.customer, IDS.policy, 2),
    policy(IDS.otherPolicy, IDS.otherCustomer, IDS.otherRevision, "second-default"),
    revision(IDS.otherRevision, IDS.otherCustomer, IDS.otherPolicy, 1),
    ["commit", []],
    insert("api_tokens", {
      id: IDS.token,
      customer_id: IDS.customer,
      name: "admin",
      token_hash: sealed("token"),
      scopes: ["sites:read"],
    }),
  ];
}

function sites(): Insert[] {
  const first = { customer_id: IDS.customer, policy_id: IDS.policy, policy_revision_id: IDS.revision };
  return [
    // Every column is given, and no two alike where that is possible, so that a move to a wrong place shows.
    insert("sites", {
      ...first,
      id: IDS.site,
      name: "known",
      address: "router.example",
      api_port: 8729,
      next_api_port: 9729,
      management_transport: "api-ssl",
      tls_fingerprint: "cd".repeat(32),
      management_address: "100.64.0.1",
      reached_address: "192.0.2.1",
      adoption_login: null,
      status: "online",
      sync_state: "in_sync",
      sync_reason: "none",
      sync_checked_at: "2026-01-01T00:00:01Z",
      identity: "MikroTik",
      model: "hEX",
      serial_number: "HB1",
      version: "7.20.1",
      last_seen_at: "2026-01-01T00:00:02Z",
      generation: 5,
      observed_generation: 4,
      checked_generation: 3,
      way_in_armed: "port",
      way_in_problem: "no login",
      way_in_problem_change: "transport",
      verified_revision_id: IDS.newerRevision,
      certificates: JSON.stringify([{ name: "portreeve-1", fingerprint: "ef".repeat(32) }]),
      certificate_request: sealed("request"),
      certificate_number: 2,
      keeps_certificate: true,
      created_at: "2026-01-01T00:00:03Z",
      updated_at: "2026-01-01T00:00:04Z",
    }),
    insert("sites", {
      ...first,
      id: IDS.newSite,
      name: "new",
      address: "192.0.2.2",
      api_port: 8728,
      adoption_login: sealed("login"),
    }),
    insert("sites", {
      id: IDS.otherSite,
      customer_id: IDS.otherCustomer,
      policy_id: IDS.otherPolicy,
      policy_revision_id: IDS.otherRevision,
      name: "other",
      address: "192.0.2.3",
      api_port: 8728,
      status: "offline",
      sync_state: "failed",
      sync_reason: "unreachable",
    }),
  ];
}

function ofTheFirstSite(): Insert[] {
  const site = { customer_id: IDS.customer, site_id: IDS.site };
  return [
    insert("credentials", { ...site, username: "portreeve-api", password: sealed("old"), state: "retired" }),
    insert("credentials", { ...site, username: "portreeve-api", password: sealed("now"), state: "active" }),
    insert("transient_access", {
      ...site,
      id: IDS.grant,
      token_id: IDS.token,
      type: "ssh",
      username: "portreeve-t-1",
      password: sealed("grant"),
      port: 40_000,
      full_access: true,
      allow_rfc1918: false,
      allow_only_ip: "198.51.100.1",
      reason: "a fault",
      expires_at: "2100-01-01T00:00:00Z",
    }),
    insert("site_hardening_fixes", { ...site, fix: "dns-open" }),
    insert("rollouts", {
      id: IDS.rollout,
      customer_id: IDS.customer,
      policy_id: IDS.policy,
      revision_id: IDS.newerRevision,
    }),
    insert("rollout_sites", {
      ...site,
      rollout_id: IDS.rollout,
      from_revision_id: IDS.revision,
      state: "delivering",
      wave: 1,
      generation: 5,
      started_at: "2026-01-01T00:00:05Z",
    }),
    insert("exposure_checks", {
      ...site,
      id: IDS.check,
      address: "192.0.2.1",
      from_address: "198.51.100.2",
      policy_id: IDS.policy,
      policy_name: "first-default",
      answered: true,
      ports: JSON.stringify([{ port: 22, service: "ssh", state: "closed" }]),
    }),
    insert("exposure_schedule", { ...site, next_check_at: "2026-01-02T00:00:00Z" }),
  ];
}

function insert(table: string, row: Readonly<Record<string, unknown>>): Insert {
  const columns = Object.keys(row);
  const places = columns.map((_, index) => `$${index + 1}`);
  return [`insert into ${table} (${columns.join(", ")}) values (${places.join(", ")})`, Object.values(row)];
}

/** Stands for bytes that only the vault can read. */
function sealed(text: string): Buffer {
  return Buffer.from(`sealed ${text}`);
}
