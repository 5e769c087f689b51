/** The chosen fixes of a site, for the reconciler. */
import { record } from "../audit/index.ts";
import type { Contributor, Observed } from "../reconcile/index.ts";
import { desired, fixOf, type HardeningFacts } from "./desired.ts";
import { type FixRow, fixesOfSite, removeFix } from "./store.ts";

interface Facts extends HardeningFacts {
  readonly rows: readonly FixRow[];
}

export const hardeningContributor: Contributor<Facts> = {
  name: "hardening",
  async load(trx, siteId) {
    const rows = await fixesOfSite(trx, siteId);
    return { rows, chosen: rows.map(({ fix, is_fresh }) => ({ id: fix, isFresh: is_fresh })) };
  },
  desired,
  /** A fix that is made once ends when it is seen made, or has had its time. */
  async record(trx, siteId, { rows }, { observed }) {
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
  },
};

function endOf({ fix, is_fresh }: FixRow, observed: Observed): string | undefined {
  const once = fixOf(fix)?.once;
  if (!once) return undefined;
  if (once.isDone(observed.get(once.menu) ?? [])) return "hardening.fix_made";
  return is_fresh ? undefined : "hardening.fix_lapsed";
}
