/** The SQL of exposure checks. */
import { type ExpressionBuilder, type Insertable, type Selectable, sql } from "kysely";
import { type ExposureChecksTable, exactTime, type Tables, type Trx } from "../database/index.ts";

export type CheckRow = Selectable<ExposureChecksTable>;

/** Checks of a site that are kept. */
const KEPT = 100;
/** A claim that is older than a minute belongs to a process that was killed; a check ends within 15 seconds. */
const NEW_CLAIM = {
  claim: sql<string>`gen_random_uuid()`,
  running_until: sql<Date>`now() + interval '1 minute'`,
};

/** A site, and the claim by which one check of it is known. */
export interface ClaimedSite {
  readonly siteId: string;
  readonly customerId: string;
  readonly claim: string;
}

/** How often the customer asked in the last minute; what is older is forgotten. */
export async function requestsLately(trx: Trx, customerId: string): Promise<number> {
  await trx
    .deleteFrom("exposure_requests")
    .where("customer_id", "=", customerId)
    .where("requested_at", "<=", sql<Date>`now() - interval '1 minute'`)
    .execute();
  const { count } = await trx
    .selectFrom("exposure_requests")
    .select((eb) => eb.fn.countAll<string>().as("count"))
    .where("customer_id", "=", customerId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insertRequest(trx: Trx, customerId: string): Promise<void> {
  await trx.insertInto("exposure_requests").values({ customer_id: customerId }).execute();
}

/** One request at a time for each customer, until the transaction ends: counting and claiming are one act. */
export async function lockRequests(trx: Trx, customerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`exposure ${customerId}`}, 0))`.execute(trx);
}

/** Claim the site, due or not. @returns undefined when another check of it is running */
export function claimNow(
  trx: Trx,
  site: { readonly id: string; readonly customer_id: string },
): Promise<ClaimedSite | undefined> {
  return trx
    .insertInto("exposure_schedule")
    .values({
      site_id: site.id,
      customer_id: site.customer_id,
      next_check_at: sql<Date>`now()`,
      ...NEW_CLAIM,
    })
    .onConflict((conflict) => conflict.column("site_id").doUpdateSet(NEW_CLAIM).where(isFree))
    .returning(CLAIMED)
    .executeTakeFirst();
}

const CLAIMED = ["site_id as siteId", "customer_id as customerId", sql<string>`claim`.as("claim")] as const;

function isFree(eb: ExpressionBuilder<Tables, "exposure_schedule">) {
  const column = "exposure_schedule.running_until";
  return eb.or([eb(column, "is", null), eb(column, "<=", sql<Date>`now()`)]);
}

/**
 * Put sites of these buckets that are new to the schedule into it, spread over the first hour: a fleet that has just
 * been adopted is not looked at all at once.
 */
export async function scheduleNewSites(trx: Trx, buckets: readonly number[]): Promise<void> {
  await sql`
    insert into exposure_schedule (site_id, customer_id, next_check_at)
    select site_id, customer_id, now() + random() * interval '1 hour'
      from site_connections
     where reached_address = address
       and portreeve_bucket(site_id) = any(${buckets}::smallint[])
       and not exists (select from exposure_schedule where site_id = site_connections.site_id)
    on conflict do nothing`.execute(trx);
}

/** The sites of these buckets that are due and that nobody checks. */
export async function listDue(trx: Trx, buckets: readonly number[]): Promise<string[]> {
  const rows = await trx
    .selectFrom("exposure_schedule")
    .select("site_id")
    .where("next_check_at", "<=", sql<Date>`now()`)
    .where(isFree)
    .where(sql<boolean>`portreeve_bucket(site_id) = any(${buckets}::smallint[])`)
    .orderBy("next_check_at")
    .execute();
  return rows.map(({ site_id }) => site_id);
}

/** Claim the site. @returns undefined when it is not due, or when another check of it is running */
export function claimDue(trx: Trx, siteId: string): Promise<ClaimedSite | undefined> {
  return trx
    .updateTable("exposure_schedule")
    .set(NEW_CLAIM)
    .where("site_id", "=", siteId)
    .where("next_check_at", "<=", sql<Date>`now()`)
    .where(isFree)
    .returning(CLAIMED)
    .executeTakeFirst();
}

/** The check has ended, well or not: the next one is due in a period, give or take a tenth. Safe twice. */
export async function endClaim(trx: Trx, { siteId, claim }: ClaimedSite, hours: number): Promise<void> {
  await trx
    .updateTable("exposure_schedule")
    .set({
      claim: null,
      running_until: null,
      next_check_at: sql<Date>`now() + ${hours}::float8 * (0.9 + random() * 0.2) * interval '1 hour'`,
    })
    .where("site_id", "=", siteId)
    .where("claim", "=", claim)
    .execute();
}

/** The last check that told something. */
export function lastAnswered(trx: Trx, siteId: string): Promise<CheckRow | undefined> {
  return trx
    .selectFrom("exposure_checks")
    .selectAll()
    .where("site_id", "=", siteId)
    .where("answered", "=", true)
    .orderBy("checked_at", "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
}

export async function insertCheck(trx: Trx, values: Insertable<ExposureChecksTable>): Promise<CheckRow> {
  const row = await trx.insertInto("exposure_checks").values(values).returningAll().executeTakeFirstOrThrow();
  await trx
    .deleteFrom("exposure_checks")
    .where("site_id", "=", values.site_id)
    .where("id", "not in", (eb) =>
      eb
        .selectFrom("exposure_checks")
        .select("id")
        .where("site_id", "=", values.site_id)
        .orderBy("checked_at", "desc")
        .orderBy("id", "desc")
        .limit(KEPT),
    )
    .execute();
  return row;
}

export type ListedCheck = CheckRow & { readonly position: string };

/** Newest first. @param after time and id of the last one shown */
export function listChecks(
  trx: Trx,
  siteId: string,
  { after, limit }: { readonly after: readonly [string, string] | undefined; readonly limit: number },
): Promise<ListedCheck[]> {
  let query = trx
    .selectFrom("exposure_checks")
    .selectAll()
    .select(exactTime("checked_at").as("position"))
    .where("site_id", "=", siteId)
    .orderBy("checked_at", "desc")
    .orderBy("id", "desc")
    .limit(limit);
  if (after)
    query = query.where(sql<boolean>`(checked_at, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`);
  return query.execute();
}
