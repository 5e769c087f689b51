/** Transient access for the reconciler: which users a router should have now, and what was seen of them. */
import { record } from "../audit/index.ts";
import { notify, type Trx } from "../database/index.ts";
import type { Contributor, Observed } from "../reconcile/index.ts";
import type { Secret, Vault } from "../vault/index.ts";
import { desired, type GrantFacts } from "./desired.ts";
import { ACCESS_CHANNEL, type GrantRow, setTimestampOnce, unfinishedOnSite } from "./store.ts";

export function grantBinding(id: string) {
  return { table: "transient_access", column: "password", rowId: id };
}

export function openPassword(trx: Trx, vault: Vault, grant: GrantRow): Promise<Secret> {
  return vault.open(trx, grant.customer_id, grantBinding(grant.id), grant.password);
}

/** This module among the contributors. */
const TRANSIENT_ACCESS = "transient-access";

export function transientAccessContributor(vault: Vault): Contributor {
  return {
    name: TRANSIENT_ACCESS,
    async load(trx, siteId) {
      const rows = await unfinishedOnSite(trx, siteId);
      const facts = { open: rows.filter(isOpen).map(grantFacts), ended: rows.filter((row) => !isOpen(row)) };
      return {
        desired: (router) => desired(facts, router),
        record: (trx, { observed }) => recordSeen(trx, rows, observed),
      };
    },
    async openSecret(trx, siteId, id) {
      const grant = (await unfinishedOnSite(trx, siteId)).find((row) => row.id === id);
      if (!grant) throw new Error(`site ${siteId} has no grant ${id}`);
      return openPassword(trx, vault, grant);
    },
  };
}

const isOpen = (grant: GrantRow): boolean => grant.is_open;

function grantFacts({ id, username, full_access: fullAccess }: GrantRow): GrantFacts {
  return { id, username, password: { of: TRANSIENT_ACCESS, id }, fullAccess };
}

async function recordSeen(trx: Trx, rows: readonly GrantRow[], observed: Observed): Promise<void> {
  const users = namesIn(observed, "/user");
  const sessions = namesIn(observed, "/user/active");
  const there = rows.filter((grant) => grant.is_open && users.has(grant.username));
  const gone = rows.filter(
    (grant) => !grant.is_open && !users.has(grant.username) && !sessions.has(grant.username),
  );
  await note(trx, there, "committed_at", "access.committed");
  await note(trx, gone, "removed_from_site_at", "access.removed_from_site");
}

async function note(
  trx: Trx,
  grants: readonly GrantRow[],
  column: "committed_at" | "removed_from_site_at",
  action: string,
) {
  const first = new Set(
    await setTimestampOnce(
      trx,
      grants.map(({ id }) => id),
      column,
    ),
  );
  for (const grant of grants.filter(({ id }) => first.has(id))) {
    // The gateway lets the connections that wait for the user go on.
    if (column === "committed_at") await notify(trx, ACCESS_CHANNEL, grant.id);
    await record(
      trx,
      { kind: "system", part: "reconciler" },
      {
        customerId: grant.customer_id,
        action,
        subjectType: "transient_access",
        subjectId: grant.id,
        siteId: grant.site_id,
      },
    );
  }
}

function namesIn(observed: Observed, menu: string): ReadonlySet<string> {
  return new Set((observed.get(menu) ?? []).map((row) => row.name ?? ""));
}
