/** The SQL of sites: who a router is, and the view that joins what other modules know of it. */
import { type Insertable, type Selectable, sql, type UpdateObject } from "kysely";
import type {
  SiteCertificatesTable,
  SiteConnectionsTable,
  SitePoliciesTable,
  SiteSyncTable,
  SitesTable,
  Tables,
  Trx,
} from "../database/index.ts";
import type { CustomerId, PolicyId, SiteId } from "../kernel/ids.ts";

const CONNECTION = [
  "site_connections.address",
  "site_connections.api_port",
  "site_connections.next_api_port",
  "site_connections.management_transport",
  "site_connections.tls_fingerprint",
  "site_connections.keeps_certificate",
  "site_connections.management_address",
  "site_connections.reached_address",
  "site_connections.adoption_login",
  "site_connections.metered",
  "site_connections.bytes_sent",
  "site_connections.bytes_received",
  "site_connections.traffic_since",
] as const;
const SYNC = [
  "site_sync.generation",
  "site_sync.observed_generation",
  "site_sync.changed_at",
  "site_sync.sync_state",
  "site_sync.sync_reason",
  "site_sync.sync_checked_at",
] as const;

type Columns<List extends readonly string[]> = List[number] extends `${string}.${infer Column}`
  ? Column
  : never;

/** A site with what is known of it in every table. To read: each of them has an owner of its own. */
export type SiteRow = Selectable<SitesTable> &
  Pick<Selectable<SiteConnectionsTable>, Columns<typeof CONNECTION>> &
  Pick<Selectable<SiteSyncTable>, Columns<typeof SYNC>> &
  Pick<Selectable<SitePoliciesTable>, "policy_id"> &
  Pick<Selectable<SiteCertificatesTable>, "certificates">;

/** No site is missed: the database lets none be without a row in each table. */
function sites(trx: Trx) {
  return trx
    .selectFrom("sites")
    .innerJoin("site_connections", "site_connections.site_id", "sites.id")
    .innerJoin("site_sync", "site_sync.site_id", "sites.id")
    .innerJoin("site_policies", "site_policies.site_id", "sites.id")
    .innerJoin("site_certificates", "site_certificates.site_id", "sites.id")
    .selectAll("sites")
    .select([...CONNECTION, ...SYNC, "site_policies.policy_id", "site_certificates.certificates"]);
}

export function findSite(trx: Trx, siteId: SiteId): Promise<SiteRow | undefined> {
  return sites(trx).where("sites.id", "=", siteId).executeTakeFirst();
}

/** The site, locked until the transaction ends: one change of intent at a time. */
export async function lockSite(trx: Trx, siteId: SiteId): Promise<SiteRow | undefined> {
  await trx.selectFrom("sites").select("id").where("id", "=", siteId).forUpdate().execute();
  // Read only once the lock is held: a statement that waited for it would join the other tables as they were before.
  return findSite(trx, siteId);
}

/**
 * The rows of these sites in `sites`, for a transaction that then writes several of their tables. One that deletes a site holds
 * this row first and the others after it; every other one must do the same, or each waits for the other.
 */
export async function lockIdentities(trx: Trx, siteIds: readonly SiteId[]): Promise<void> {
  await trx
    .selectFrom("sites")
    .select("id")
    .where("id", "=", sql<string>`any(${siteIds}::uuid[])`)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}

export async function siteIdsOf(trx: Trx, buckets: readonly number[]): Promise<string[]> {
  const ofBuckets = sql<number>`any(${buckets}::smallint[])`;
  const rows = await trx.selectFrom("sites").select("id").where("bucket", "=", ofBuckets).execute();
  return rows.map(({ id }) => id);
}

/** One batch. In the order in which everybody locks sites, and none that is locked. @returns those that were written */
export async function recordSeen(
  trx: Trx,
  ids: readonly string[],
  times: readonly (Date | null)[],
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with batch as (select * from unnest(${ids}::uuid[], ${times}::timestamptz[]) as batch (id, seen)),
         free as (select id from sites where id in (select id from batch)
                   order by id for no key update skip locked)
    update sites set last_seen_at = greatest(last_seen_at, seen)
      from batch join free using (id)
     where sites.id = batch.id
    returning sites.id`.execute(trx);
  return rows.map(({ id }) => id);
}

export async function insertIdentity(trx: Trx, site: Insertable<SitesTable>): Promise<void> {
  await trx.insertInto("sites").values(site).execute();
}

export async function updateIdentity(
  trx: Trx,
  siteId: SiteId,
  columns: UpdateObject<Tables, "sites">,
): Promise<void> {
  await trx.updateTable("sites").set(columns).where("id", "=", siteId).execute();
}

/** A site that is being deleted stays so. */
export async function setReachability(
  trx: Trx,
  siteId: SiteId,
  status: "pending" | "online" | "offline",
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("sites")
    .set({ status })
    .where("id", "=", siteId)
    .where("status", "not in", [status, "deleting"])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** What is known of it in other tables goes with it. */
export async function deleteSite(trx: Trx, siteId: SiteId): Promise<void> {
  await trx.deleteFrom("sites").where("id", "=", siteId).execute();
}

/** Another site of the customer at this address and port. */
export function findSiteAt(trx: Trx, address: string, port: number, except: SiteId) {
  return trx
    .selectFrom("site_connections")
    .innerJoin("sites", "sites.id", "site_connections.site_id")
    .select(["sites.id", "sites.name"])
    .where(sql`lower(site_connections.address)`, "=", address.toLowerCase())
    .where("site_connections.api_port", "=", port)
    .where("sites.id", "!=", except)
    .executeTakeFirst();
}

/** Another adopted site of the customer that is this very router, by its serial number. */
export function findDuplicateSite(
  trx: Trx,
  site: { id: SiteId; customer_id: CustomerId },
  serialNumber: string,
) {
  return trx
    .selectFrom("sites")
    .innerJoin("site_connections", "site_connections.site_id", "sites.id")
    .select(["sites.id", "sites.name"])
    .where("sites.customer_id", "=", site.customer_id)
    .where("sites.serial_number", "=", serialNumber)
    .where("site_connections.management_address", "is not", null)
    .where("sites.id", "!=", site.id)
    .executeTakeFirst();
}

export interface SiteFilter {
  readonly status?: string | undefined;
  readonly policyId?: PolicyId | undefined;
  /** Continue after this id (ids order the list). */
  readonly after?: SiteId | undefined;
  readonly limit: number;
}

export function listSites(trx: Trx, { status, policyId, after, limit }: SiteFilter): Promise<SiteRow[]> {
  let query = sites(trx).orderBy("sites.id").limit(limit);
  if (status) query = query.where("sites.status", "=", status as SiteRow["status"]);
  if (policyId) query = query.where("site_policies.policy_id", "=", policyId);
  if (after) query = query.where("sites.id", ">", after);
  return query.execute();
}
