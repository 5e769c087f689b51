/** Who writes which table. Others read it in joins, and have it changed by a function of its owner's. */
import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Tables } from "./tables.ts";

/** The file or folder, under `src`, whose SQL alone writes the table. */
const OWNERS: Record<keyof Tables | "members" | "bucket_leases", string> = {
  customers: "tokens/",
  api_tokens: "tokens/",
  data_keys: "vault/",
  audit_events: "audit/",
  idempotency_keys: "http/",
  policies: "policies/",
  policy_revisions: "policies/",
  rollouts: "rollouts/",
  rollout_sites: "rollouts/",
  sites: "sites/store.ts",
  site_connections: "sites/connections.ts",
  site_sync: "sites/sync.ts",
  site_policies: "rollouts/assignments.ts",
  site_certificates: "certificates/store.ts",
  certificate_authorities: "certificates/",
  credentials: "credentials/",
  transient_access: "access/",
  gateways: "access/",
  grant_leases: "access/",
  site_hardening_fixes: "hardening/",
  exposure_checks: "exposure/",
  exposure_schedule: "exposure/",
  exposure_requests: "exposure/",
  workflows: "routers/workflows/store.ts",
  link_handovers: "reconcile/handovers.ts",
  members: "database/leases/",
  bucket_leases: "database/leases/",
};

const SOURCE = fileURLToPath(new URL("..", import.meta.url));
const IS_OF_TESTS = /\.(test|fixture)\.ts$|(^|\/)(testing|test-[a-z]+)\.ts$/;
/** A table that is written: by Kysely, whose argument may stand on a line of its own, or in SQL. */
const WRITES = [
  /\.(?:insertInto|updateTable|deleteFrom|mergeInto)\(\s*["'`](\w+)/g,
  /\b(?:insert\s+into|delete\s+from|merge\s+into|truncate(?:\s+table)?|update)\s+(?:only\s+)?"?(\w+)"?/gi,
];

interface Write {
  readonly table: string;
  readonly file: string;
}

function writesIn(file: string, text: string): Write[] {
  const tables = WRITES.flatMap((write) => [...text.matchAll(write)].map(([, table = ""]) => table));
  return tables.filter((table) => table in OWNERS).map((table) => ({ table, file }));
}

async function allWrites(): Promise<Write[]> {
  const found: Write[] = [];
  for await (const file of glob("**/*.ts", { cwd: SOURCE })) {
    if (!IS_OF_TESTS.test(file)) found.push(...writesIn(file, await readFile(`${SOURCE}/${file}`, "utf8")));
  }
  return found;
}

const isOwners = ({ table, file }: Write) => file.startsWith(OWNERS[table as keyof typeof OWNERS]);

test("a table is written by its owner alone", async () => {
  expect((await allWrites()).filter((write) => !isOwners(write))).toEqual([]);
});

test("every table is written by its owner", async () => {
  const written = new Set((await allWrites()).filter(isOwners).map(({ table }) => table));
  expect([...written].toSorted()).toEqual(Object.keys(OWNERS).toSorted());
});

test.each([
  'trx.insertInto("sites").values(row)',
  "trx\n  .updateTable(\n    'sites'\n  )",
  "sql`delete from sites where id = 1`",
  "sql`\n  insert into sites (id)`",
  "sql`update sites set name = ''`",
])("a write is seen in %j", (text) => {
  expect(writesIn("policies/service.ts", text).filter((write) => !isOwners(write))).toEqual([
    { table: "sites", file: "policies/service.ts" },
  ]);
});
