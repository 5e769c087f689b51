/** Transient access for the reconciler: which users a router should have now, and what was seen of them. */
import { record } from "../audit/index.ts";
import { notify, type Trx } from "../database/index.ts";
import type { Contributor, Observed } from "../reconcile/index.ts";
import type { Secret, Vault } from "../vault/index.ts";
import { desired, type TransientAccessFacts } from "./desired.ts";
import { ACCESS_CHANNEL, type GrantRow, setTimestampOnce, unfinishedOnSite } from "./store.ts";

export function grantBinding(id: string) {
  return { table: "transient_access", column: "password", rowId: id };
}

export function openPassword(trx: Trx, vault: Vault, grant: GrantRow): Promise<Secret> {
  return vault.open(trx, grant.customer_id, grantBinding(grant.id), grant.password);
}

interface Facts extends TransientAccessFacts {
  readonly rows: readonly GrantRow[];
}

export function transientAccessContributor(vault: Vault): Contributor<Facts> {
  return {
    name: "transient-access",
    async load(trx, siteId) {
      const rows = await unfinishedOnSite(trx, siteId);
      const open = [];
      for (const row of rows.filter((grant) => grant.is_open)) {
        const password = await openPassword(trx, vault, row);
        open.push({ id: row.id, username: row.username, password, fullAccess: row.full_access });
      }
      return { rows, open, ended: rows.filter((grant) => !grant.is_open) };
    },
    desired,
    async record(trx, _siteId, { rows }, { observed }) {
      const users = namesIn(observed, "/user");
      const sessions = namesIn(observed, "/user/active");
      const there = rows.filter((grant) => grant.is_open && users.has(grant.username));
      const gone = rows.filter(
        (grant) => !grant.is_open && !users.has(grant.username) && !sessions.has(grant.username),
      );
      await note(trx, there, "committed_at", "access.committed");
      await note(trx, gone, "removed_from_site_at", "access.removed_from_site");
    },
  };
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
