/** The SQL of sites. */
import { type Selectable, sql } from "kysely";
import type { SitesTable, Trx } from "../database/index.ts";

export type SiteRow = Selectable<SitesTable>;

export function findSite(trx: Trx, siteId: string): Promise<SiteRow | undefined> {
  return trx.selectFrom("sites").selectAll().where("id", "=", siteId).executeTakeFirst();
}

/** The site, locked until the transaction ends: one change of intent at a time. */
export function lockSite(trx: Trx, siteId: string): Promise<SiteRow | undefined> {
  return trx.selectFrom("sites").selectAll().where("id", "=", siteId).forUpdate().executeTakeFirst();
}

/** Another site of the customer at this address and port. */
export function findSiteAt(
  trx: Trx,
  address: string,
  port: number,
  except: string,
): Promise<SiteRow | undefined> {
  return trx
    .selectFrom("sites")
    .selectAll()
    .where((eb) => eb(eb.fn("lower", ["address"]), "=", address.toLowerCase()))
    .where("api_port", "=", port)
    .where("id", "!=", except)
    .executeTakeFirst();
}

/** Another adopted site of the customer that is this very router, by its serial number. */
export function findDuplicateSite(
  trx: Trx,
  site: { id: string; customer_id: string },
  serialNumber: string,
): Promise<SiteRow | undefined> {
  return trx
    .selectFrom("sites")
    .selectAll()
    .where("customer_id", "=", site.customer_id)
    .where("serial_number", "=", serialNumber)
    .where("management_address", "is not", null)
    .where("id", "!=", site.id)
    .executeTakeFirst();
}

export interface SiteFilter {
  readonly status?: string | undefined;
  readonly policyId?: string | undefined;
  /** Continue after this id (ids order the list). */
  readonly after?: string | undefined;
  readonly limit: number;
}

export function listSites(trx: Trx, { status, policyId, after, limit }: SiteFilter): Promise<SiteRow[]> {
  let query = trx.selectFrom("sites").selectAll().orderBy("id").limit(limit);
  if (status) query = query.where("status", "=", status as SiteRow["status"]);
  if (policyId) query = query.where("policy_id", "=", policyId);
  if (after) query = query.where("id", ">", after);
  return query.execute();
}

/** A change of intent: the next run delivers this generation. */
export const changedIntent = {
  generation: sql<string>`generation + 1`,
  sync_state: "pending" as const,
  sync_reason: null,
  updated_at: sql<Date>`now()`,
};
