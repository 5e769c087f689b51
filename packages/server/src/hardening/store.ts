/** The SQL of hardening. */
import { type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";
import type { CustomerId, SiteId } from "../kernel/ids.ts";

/** How long a fix that is made once is tried, by the database's clock. */
const ONCE_WITHIN = "10 minutes";

export type FixRow = Selectable<Tables["site_hardening_fixes"]> & {
  /** Young enough for a fix that is made once. */
  readonly is_fresh: boolean;
};

export function fixesOfSite(trx: Trx, siteId: SiteId): Promise<FixRow[]> {
  return trx
    .selectFrom("site_hardening_fixes")
    .selectAll()
    .select(sql<boolean>`created_at > now() - ${ONCE_WITHIN}::interval`.as("is_fresh"))
    .where("site_id", "=", siteId)
    .orderBy("fix")
    .execute();
}

/** Asked for again, a fix that is made once has its time again. */
export async function addFixes(
  trx: Trx,
  customerId: CustomerId,
  siteId: SiteId,
  fixes: readonly string[],
): Promise<void> {
  await trx
    .insertInto("site_hardening_fixes")
    .values(fixes.map((fix) => ({ customer_id: customerId, site_id: siteId, fix })))
    .onConflict((conflict) =>
      conflict.columns(["site_id", "fix"]).doUpdateSet({ created_at: sql<Date>`now()` }),
    )
    .execute();
}

/** @returns whether it was there */
export async function removeFix(trx: Trx, siteId: SiteId, fix: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom("site_hardening_fixes")
    .where("site_id", "=", siteId)
    .where("fix", "=", fix)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
