/** The SQL of what gateways are told: the grants they hold, with all that the database's clock says of them. */
import { type SelectQueryBuilder, sql } from "kysely";
import type { Trx } from "../../database/index.ts";
import { isOpen, secondsLeft } from "../store.ts";

function unfinished(trx: Trx) {
  return trx
    .selectFrom("transient_access")
    .innerJoin("grant_leases", "grant_leases.grant_id", "transient_access.id")
    .innerJoin("sites", "sites.id", "transient_access.site_id")
    .innerJoin("site_connections", "site_connections.site_id", "sites.id")
    .innerJoin("site_policies", "site_policies.site_id", "sites.id")
    .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
    .select([
      "transient_access.id",
      "transient_access.customer_id",
      "transient_access.site_id",
      "transient_access.type",
      "transient_access.port",
      "transient_access.allow_only_ip",
      "transient_access.allow_only_cidr",
      "transient_access.allow_rfc1918",
      "transient_access.committed_at",
      "transient_access.revoked_at",
      "sites.status",
      "site_connections.address",
      "policy_revisions.services",
      "grant_leases.fence",
    ])
    .select(isOpen.as("is_open"))
    .select(secondsLeft.as("seconds_left"))
    .select(sql<number>`transient_access.sequence::float8`.as("sequence"))
    .select(sql<number>`extract(epoch from transient_access.expires_at)::float8 * 1000`.as("ends_at_ms"))
    .where("transient_access.removed_from_gateway_at", "is", null);
}

/** A grant whose listener stands or has to, and where it leads: the site's address, its services. */
export type GatewayGrant =
  ReturnType<typeof unfinished> extends SelectQueryBuilder<infer _DB, infer _TB, infer Row> ? Row : never;

/** One page of the gateway's grants, in the order of their ids. @param after the last id of the page before */
export function pageOfGrants(
  trx: Trx,
  gatewayId: string,
  after: string | undefined,
  limit: number,
): Promise<GatewayGrant[]> {
  return unfinished(trx)
    .where("transient_access.gateway_id", "=", gatewayId)
    .$if(after !== undefined, (query) => query.where("transient_access.id", ">", after as string))
    .orderBy("transient_access.id")
    .limit(limit)
    .execute();
}

/** Those of these grants that this gateway holds. */
export function someGrants(trx: Trx, gatewayId: string, ids: readonly string[]): Promise<GatewayGrant[]> {
  return unfinished(trx)
    .where("transient_access.gateway_id", "=", gatewayId)
    .where("transient_access.id", "=", sql<string>`any(${sql`${ids}::uuid[]`})`)
    .execute();
}

/** Names this database: a restored dump is another one, and so is every other server. */
export async function databaseIdentity(trx: Trx): Promise<{ system: string; sequence: number }> {
  const { rows } = await sql<{ system: string; sequence: number }>`
    select (select system_identifier::text from pg_control_system())
             || '/' || (select oid::text from pg_database where datname = current_database()) as system,
           (select case when is_called then last_value else 0 end from transient_access_sequence_seq)::float8
             as sequence`.execute(trx);
  return rows[0] as { system: string; sequence: number };
}
