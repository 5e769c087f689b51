/** The SQL of transient access. Whether a grant is open is decided here, by the database's clock alone. */
import { type Insertable, type SelectQueryBuilder, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";

/** A grant that its gateway has closed is over, also where the clock was set back since. */
export const isOpen = sql<boolean>`
  (transient_access.revoked_at is null and transient_access.expires_at > now() and sites.status <> 'deleting'
   and transient_access.removed_from_gateway_at is null)`;
// Not now(): that is the start of the transaction, and a transaction may have waited.
export const secondsLeft = sql<number>`extract(epoch from transient_access.expires_at - clock_timestamp())::float8`;

/** Notified with a grant's id when it is opened, revoked or its user is there, and with who knows of it already. */
export const ACCESS_CHANNEL = "portreeve_access";

function grants(trx: Trx) {
  return trx
    .selectFrom("transient_access")
    .innerJoin("sites", "sites.id", "transient_access.site_id")
    .innerJoin("gateways", "gateways.id", "transient_access.gateway_id")
    .selectAll("transient_access")
    .select("gateways.entry_point")
    .select([isOpen.as("is_open"), secondsLeft.as("seconds_left")]);
}

/** A grant, where people connect for it, and the two things only the database's clock can say: whether it is open, and for how long still. */
export type GrantRow =
  ReturnType<typeof grants> extends SelectQueryBuilder<infer _DB, infer _TB, infer Row> ? Row : never;

export function listGrants(trx: Trx, siteId: string, includeEnded: boolean): Promise<GrantRow[]> {
  const query = grants(trx)
    .where("transient_access.site_id", "=", siteId)
    .orderBy("transient_access.created_at", "desc")
    .orderBy("transient_access.id");
  return (includeEnded ? query.limit(1000) : query.where(isOpen)).execute();
}

export function findGrant(trx: Trx, siteId: string, id: string): Promise<GrantRow | undefined> {
  return grants(trx)
    .where("transient_access.site_id", "=", siteId)
    .where("transient_access.id", "=", id)
    .executeTakeFirst();
}

/** Grants whose router user may still exist: the open ones, and the ended ones not seen gone. */
export function unfinishedOnSite(trx: Trx, siteId: string): Promise<GrantRow[]> {
  return grants(trx)
    .where("transient_access.site_id", "=", siteId)
    .where("transient_access.removed_from_site_at", "is", null)
    .execute();
}

export type NewGrant = Omit<
  Insertable<Tables["transient_access"]>,
  "port" | "expires_at" | "gateway_id" | "sequence"
>;

/**
 * Insert a grant on a free port of a gateway, which gets the lease of it.
 * @returns undefined when no port is free
 */
export async function insertGrant(trx: Trx, grant: NewGrant, minutes: number): Promise<string | undefined> {
  const ends = sql<Date>`now() + make_interval(mins => ${minutes})`;
  for (;;) {
    const { rows } = await sql<{
      gateway: string | null;
      port: number | null;
    }>`select gateway, port from free_gateway_port()`.execute(trx);
    const { gateway = null, port = null } = rows[0] ?? {};
    if (gateway === null || port === null) return undefined;
    const inserted = await trx
      .insertInto("transient_access")
      .values({ ...grant, port, gateway_id: gateway, expires_at: ends })
      // Somebody else may take the port between the look and the insert; the index decides and we look again.
      .onConflict((conflict) =>
        conflict.columns(["gateway_id", "port"]).where("removed_from_gateway_at", "is", null).doNothing(),
      )
      .returning(["id", "customer_id"])
      .executeTakeFirst();
    if (!inserted) continue;
    await trx
      .insertInto("grant_leases")
      .columns(["grant_id", "customer_id", "gateway_id", "fence", "until"])
      .expression((query) =>
        query
          .selectFrom("gateways")
          .select([
            sql<string>`${inserted.id}::uuid`.as("grant_id"),
            sql<string>`${inserted.customer_id}::uuid`.as("customer_id"),
            "gateways.id",
            "gateways.fence",
            ends.as("until"),
          ])
          .where("gateways.id", "=", gateway),
      )
      .execute();
    return inserted.id;
  }
}

type TimeColumn =
  | "revoked_at"
  | "authorized_at"
  | "committed_at"
  | "removed_from_site_at"
  | "removed_from_gateway_at";

/** Write `now()` into a column that is still empty. @returns the ids for which this was the first time */
export async function setTimestampOnce(
  trx: Trx,
  ids: readonly string[],
  column: TimeColumn,
): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await trx
    .updateTable("transient_access")
    .set({ [column]: sql<Date>`now()` })
    .where("id", "in", ids)
    .where(column, "is", null)
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}
