import { sql } from "kysely";
import type { Trx } from "../../database/index.ts";
import { isOpen } from "../store.ts";
import { lapsed } from "./lease.ts";
import { recordClosed } from "./records.ts";

/** Grants in one transaction. */
const BATCH = 200;

/**
 * Write down as closed what has ended while nobody held its gateway: nothing is carried there any more.
 * @returns the sites whose routers have to lose a user
 */
export async function closeLapsed(trx: Trx): Promise<string[]> {
  const ended = await trx
    .selectFrom("transient_access")
    .innerJoin("gateways", "gateways.id", "transient_access.gateway_id")
    .innerJoin("sites", "sites.id", "transient_access.site_id")
    .select([
      "transient_access.id",
      "transient_access.customer_id",
      "transient_access.site_id",
      "transient_access.revoked_at",
    ])
    .select(sql<boolean>`transient_access.expires_at <= now()`.as("is_expired"))
    .where("transient_access.removed_from_gateway_at", "is", null)
    .where(lapsed)
    .where(sql<boolean>`not ${isOpen}`)
    .limit(BATCH)
    // Another server does the same; a site that is being changed keeps its grant for the next time.
    .forUpdate("transient_access")
    .skipLocked()
    .execute();
  for (const grant of ended)
    await recordClosed(trx, grant, { reason: grant.is_expired ? "expired" : "deleted" });
  return [...new Set(ended.map(({ site_id }) => site_id))];
}
