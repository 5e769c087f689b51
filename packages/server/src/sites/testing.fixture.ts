/** Sites without routers, as rows. */
import { randomUUID } from "node:crypto";
import type { Insertable } from "kysely";
import type {
  SiteCertificatesTable,
  SiteConnectionsTable,
  SitePoliciesTable,
  SiteSyncTable,
  SitesTable,
  Trx,
} from "../database/index.ts";

type Part<Table> = Omit<Insertable<Table>, "site_id" | "customer_id">;

export interface SiteFixture {
  readonly customer_id: string;
  readonly site?: Partial<Insertable<SitesTable>>;
  readonly connection?: Partial<Part<SiteConnectionsTable>>;
  readonly sync?: Partial<Part<SiteSyncTable>>;
  readonly policy: Part<SitePoliciesTable>;
  readonly certificates?: Partial<Part<SiteCertificatesTable>>;
}

/** @returns the ids, in the order of the sites */
export async function insertSites(trx: Trx, sites: readonly SiteFixture[]): Promise<string[]> {
  const rows = sites.map(({ customer_id, site, ...parts }) => ({
    key: { site_id: site?.id ?? randomUUID(), customer_id },
    site,
    ...parts,
  }));
  const connection = { address: "192.0.2.1", api_port: 8728, management_transport: "api" as const };
  await trx
    .insertInto("sites")
    .values(
      rows.map(({ key, site }) => ({ name: "site", ...site, id: key.site_id, customer_id: key.customer_id })),
    )
    .execute();
  await trx
    .insertInto("site_connections")
    .values(rows.map((row) => ({ ...row.key, ...connection, ...row.connection })))
    .execute();
  await trx
    .insertInto("site_sync")
    .values(rows.map((row) => ({ ...row.key, ...row.sync })))
    .execute();
  await trx
    .insertInto("site_policies")
    .values(rows.map((row) => ({ ...row.key, ...row.policy })))
    .execute();
  await trx
    .insertInto("site_certificates")
    .values(rows.map((row) => ({ ...row.key, ...row.certificates })))
    .execute();
  return rows.map(({ key }) => key.site_id);
}
