/** The SQL of site_connections: how a router is reached. */
import type { ManagementTransport } from "@portreeve/api-schema";
import { type Insertable, sql, type Updateable } from "kysely";
import type { SiteConnectionsTable, Trx } from "../database/index.ts";

/** How a site was reached when somebody logged in, to see whether it still is. */
type Reached = Pick<SiteConnectionsTable, "address" | "management_transport"> & { readonly id: string };

/** Where and how Portreeve logs in to a router. */
export interface ManagementPath {
  readonly transport: ManagementTransport;
  readonly port: number;
  /** SHA-256 of the router's certificate; null on api. */
  readonly fingerprint: string | null;
}

export async function insertConnection(
  trx: Trx,
  connection: Insertable<SiteConnectionsTable>,
): Promise<void> {
  await trx.insertInto("site_connections").values(connection).execute();
}

export async function updateConnection(
  trx: Trx,
  siteId: string,
  columns: Omit<Updateable<SiteConnectionsTable>, "site_id" | "customer_id">,
): Promise<void> {
  await trx.updateTable("site_connections").set(columns).where("site_id", "=", siteId).execute();
}

/** One at a time for each customer, until the transaction ends: to look for an address and to take it are one act. */
export async function lockAddresses(trx: Trx, customerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`portreeve.addresses:${customerId}`}, 0))`.execute(
    trx,
  );
}

/**
 * A login worked at the site's address.
 * @returns false when the site has given up the transport meanwhile: then it says nothing about the new one
 */
export async function reachedAt(
  trx: Trx,
  site: Reached,
  columns: Pick<Updateable<SiteConnectionsTable>, "api_port" | "next_api_port" | "tls_fingerprint">,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("site_connections")
    .set({ reached_address: site.address, ...columns })
    .where("site_id", "=", site.id)
    .where("management_transport", "=", site.management_transport)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Transport, port and fingerprint change together. @returns false when the site has changed meanwhile */
export async function moveTo(trx: Trx, site: Reached, path: ManagementPath): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("site_connections")
    .set({
      management_transport: path.transport,
      api_port: path.port,
      next_api_port: null,
      tls_fingerprint: path.fingerprint,
    })
    .where("site_id", "=", site.id)
    .where("address", "=", site.address)
    .where("management_transport", "=", site.management_transport)
    .where("keeps_certificate", "=", false)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Bytes that have gone over a site's line: TCP's, so with the login and TLS. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** One batch, of sites that are locked. */
export async function recordTraffic(
  trx: Trx,
  ids: readonly string[],
  traffic: readonly Traffic[],
): Promise<void> {
  await sql`
    update site_connections
       set bytes_sent = bytes_sent + sent, bytes_received = bytes_received + received
      from unnest(${ids}::uuid[], ${traffic.map(({ sent }) => sent)}::bigint[],
                  ${traffic.map(({ received }) => received)}::bigint[]) as batch (id, sent, received)
     where site_id = batch.id and sent + received > 0`.execute(trx);
}

/** The router has our user now; the login that was given is destroyed. */
export async function recordAdopted(trx: Trx, siteId: string, managementAddress: string): Promise<void> {
  await updateConnection(trx, siteId, { management_address: managementAddress, adoption_login: null });
}
