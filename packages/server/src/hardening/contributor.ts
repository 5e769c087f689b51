/** The chosen fixes of a site, for the reconciler. */
import { record } from "../audit/index.ts";
import type { Trx } from "../database/index.ts";
import type { Contributor, Observed } from "../reconcile/index.ts";
import { desired, fixOf } from "./desired.ts";
import { type FixRow, fixesOfSite, removeFix } from "./store.ts";

export const hardeningContributor: Contributor = {
  name: "hardening",
  async load(trx, siteId) {
    const rows = await fixesOfSite(trx, siteId);
    const chosen = rows.map(({ fix, is_fresh }) => ({ id: fix, isFresh: is_fresh }));
    return {
      desired: (router) => desired({ chosen }, router),
      record: (trx, { observed }) => endFixes(trx, siteId, rows, observed),
    };
  },
};

/** A fix that is made once ends when it is seen made, or has had its time. */
async function endFixes(
  trx: Trx,
  siteId: string,
  rows: readonly FixRow[],
  observed: Observed,
): Promise<void> {
  for (const row of rows) {
    const action = endOf(row, observed);
    if (action === undefined || !(await removeFix(trx, siteId, row.fix))) continue;
    await record(
      trx,
      { kind: "system", part: "reconciler" },
      {
        customerId: row.customer_id,
        action,
        subjectType: "site",
        subjectId: siteId,
        siteId,
        detail: { fix: row.fix },
      },
    );
  }
}

function endOf({ fix, is_fresh }: FixRow, observed: Observed): string | undefined {
  const once = fixOf(fix)?.once;
  if (!once) return undefined;
  if (once.isDone(observed.get(once.menu) ?? [])) return "hardening.fix_made";
  return is_fresh ? undefined : "hardening.fix_lapsed";
}
