/** The SQL of transient access. Whether a grant is open is decided here, by the database's clock alone. */
import { type Insertable, type SelectQueryBuilder, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";

const isOpen = sql<boolean>`
  (transient_access.revoked_at is null and transient_access.expires_at > now() and sites.status <> 'deleting')`;
// Not now(): that is the start of the transaction, and a transaction may have waited.
const secondsLeft = sql<number>`extract(epoch from transient_access.expires_at - clock_timestamp())::float8`;

function grants(trx: Trx) {
  return trx
    .selectFrom("transient_access")
    .innerJoin("sites", "sites.id", "transient_access.site_id")
    .selectAll("transient_access")
    .select([isOpen.as("is_open"), secondsLeft.as("seconds_left")]);
}

/** A grant with the two things only the database's clock can say: whether it is open, and for how long still. */
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

/** Grants whose listener stands or has to, and where each leads: the site's address, its services. */
export function unfinishedOnGateway(trx: Trx) {
  return grants(trx)
    .innerJoin("site_connections", "site_connections.site_id", "sites.id")
    .innerJoin("site_policies", "site_policies.site_id", "sites.id")
    .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
    .select(["site_connections.address", "policy_revisions.services"])
    .where("transient_access.removed_from_gateway_at", "is", null)
    .execute();
}
export type GatewayGrant = Awaited<ReturnType<typeof unfinishedOnGateway>>[number];

/** What the gateway asks at every connection. @returns undefined for a grant that is gone with its site */
export async function stateOf(
  trx: Trx,
  id: string,
): Promise<{ isOpen: boolean; committed: boolean } | undefined> {
  const row = await trx
    .selectFrom("transient_access")
    .innerJoin("sites", "sites.id", "transient_access.site_id")
    .select(["transient_access.committed_at", isOpen.as("is_open")])
    .where("transient_access.id", "=", id)
    .executeTakeFirst();
  return row && { isOpen: row.is_open, committed: row.committed_at !== null };
}

export type NewGrant = Omit<Insertable<Tables["transient_access"]>, "port" | "expires_at">;

/**
 * Insert a grant on a free port of the range.
 * @returns undefined when no port is free
 */
export async function insertGrant(
  trx: Trx,
  grant: NewGrant,
  minutes: number,
  ports: { first: number; last: number },
): Promise<string | undefined> {
  for (;;) {
    const { rows } = await sql<{
      port: number | null;
    }>`select free_gateway_port(${ports.first}, ${ports.last}) as port`.execute(trx);
    const port = rows[0]?.port;
    if (port === null || port === undefined) return undefined;
    const inserted = await trx
      .insertInto("transient_access")
      .values({ ...grant, port, expires_at: sql<Date>`now() + make_interval(mins => ${minutes})` })
      // Somebody else may take the port between the look and the insert; the index decides and we look again.
      .onConflict((conflict) =>
        conflict.column("port").where("removed_from_gateway_at", "is", null).doNothing(),
      )
      .returning("id")
      .executeTakeFirst();
    if (inserted) return inserted.id;
  }
}

type TimeColumn =
  | "revoked_at"
  | "authorized_at"
  | "committed_at"
  | "removed_from_site_at"
  | "removed_from_gateway_at";

/** Write `now()` into a column that is still empty. @returns the ids for which this was the first time */
export async function stamp(trx: Trx, ids: readonly string[], column: TimeColumn): Promise<string[]> {
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
