/** The SQL of certificates: what is known of ours on a router. */
import { sql } from "kysely";
import type { SiteCertificate, Trx } from "../database/index.ts";
import { changedIntent } from "../sites/index.ts";
import type { CertificateFacts } from "./desired.ts";

export async function loadFacts(trx: Trx, siteId: string): Promise<CertificateFacts> {
  const row = await trx
    .selectFrom("sites")
    .innerJoin("policy_revisions", "policy_revisions.id", "sites.policy_revision_id")
    .select([
      "sites.management_transport as transport",
      "policy_revisions.management_transport as target",
      "policy_revisions.services",
      "sites.keeps_certificate",
      "sites.address",
      "sites.certificate_number",
      "sites.certificates",
      "sites.tls_fingerprint",
    ])
    .where("sites.id", "=", siteId)
    .executeTakeFirstOrThrow();
  return {
    transport: row.transport,
    target: row.target,
    isOpen: row.services.api_ssl?.enabled ?? false,
    keepsCertificate: row.keeps_certificate,
    address: row.address,
    number: row.certificate_number,
    known: row.certificates,
    shown: row.tls_fingerprint,
  };
}

/** Before the router shows it to anybody. */
export async function remember(trx: Trx, siteId: string, found: SiteCertificate): Promise<void> {
  const { certificates } = await known(trx, siteId);
  const others = certificates.filter(({ name }) => name !== found.name);
  await store(trx, siteId, [...others, found]);
}

/** They have gone from the router. */
export async function forget(trx: Trx, siteId: string, names: readonly string[]): Promise<void> {
  const { certificates } = await known(trx, siteId);
  const others = certificates.filter(({ name }) => !names.includes(name));
  await store(trx, siteId, others);
}

/** Ask for another certificate in the place of this one. */
export async function renew(trx: Trx, siteId: string, number: number): Promise<void> {
  await trx
    .updateTable("sites")
    .set({ certificate_number: sql<number>`certificate_number + 1`, ...changedIntent })
    .where("id", "=", siteId)
    .where("certificate_number", "=", number)
    .execute();
}

function known(trx: Trx, siteId: string) {
  return trx
    .selectFrom("sites")
    .select("certificates")
    .where("id", "=", siteId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

async function store(trx: Trx, siteId: string, certificates: readonly SiteCertificate[]): Promise<void> {
  await trx
    .updateTable("sites")
    .set({ certificates: JSON.stringify(certificates) })
    .where("id", "=", siteId)
    .execute();
}
