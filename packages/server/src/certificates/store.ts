/** The SQL of certificates: a customer's authority, and what is known of ours on a router. */
import { type Selectable, sql } from "kysely";
import type { SiteCertificate, Tables, Trx } from "../database/index.ts";
import { changeIntent, type SitePart } from "../sites/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import type { CertificateFacts, RequestFacts } from "./facts.ts";

export type AuthorityRow = Selectable<Tables["certificate_authorities"]>;

/** A new site has none; what its router shows is given anew, or becomes ours at its next run. */
export const certificateSitePart: SitePart = {
  async insert(trx, siteId, customerId) {
    await trx.insertInto("site_certificates").values({ site_id: siteId, customer_id: customerId }).execute();
  },
  certificateGiven: (trx, siteId) => storeKnown(trx, siteId, []),
};

/** In the tenant's role there is at most one. */
export function findAuthority(trx: Trx): Promise<AuthorityRow | undefined> {
  return trx.selectFrom("certificate_authorities").selectAll().executeTakeFirst();
}

/** The sites whose certificate is ours. */
export async function sitesWithCertificates(trx: Trx): Promise<string[]> {
  const rows = await trx
    .selectFrom("site_certificates")
    .innerJoin("site_connections", "site_connections.site_id", "site_certificates.site_id")
    .select("site_certificates.site_id")
    .where("site_connections.keeps_certificate", "=", false)
    .where("site_certificates.certificates", "!=", sql<SiteCertificate[]>`'[]'`)
    .execute();
  return rows.map(({ site_id }) => site_id);
}

export async function loadFacts(trx: Trx, vault: Vault, siteId: string): Promise<CertificateFacts> {
  const row = await trx
    .selectFrom("site_certificates as own")
    .innerJoin("site_connections as connection", "connection.site_id", "own.site_id")
    .innerJoin("site_policies", "site_policies.site_id", "own.site_id")
    .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
    .leftJoin("certificate_authorities as authority", "authority.customer_id", "own.customer_id")
    .select([
      "own.customer_id",
      "connection.management_transport as transport",
      "policy_revisions.management_transport as target",
      "policy_revisions.services",
      "connection.keeps_certificate",
      "connection.address",
      "own.certificate_number",
      "own.certificates",
      "own.certificate_request",
      "connection.tls_fingerprint",
      "authority.fingerprint",
      "authority.subject",
      "authority.not_after",
    ])
    .where("own.site_id", "=", siteId)
    .executeTakeFirstOrThrow();
  const { fingerprint, subject, not_after: notAfter } = row;
  const sealed = row.certificate_request;
  return {
    transport: row.transport,
    target: row.target,
    isOpen: row.services.api_ssl?.enabled ?? false,
    keepsCertificate: row.keeps_certificate,
    address: row.address,
    number: row.certificate_number,
    known: row.certificates,
    shown: row.tls_fingerprint,
    authority: fingerprint && subject && notAfter ? { fingerprint, subject, notAfter } : undefined,
    request: sealed ? await openRequest(trx, vault, row.customer_id, siteId, sealed) : undefined,
  };
}

/** The fingerprint the router showed last. */
export async function shownFingerprint(trx: Trx, siteId: string): Promise<string | null> {
  const row = await trx
    .selectFrom("site_connections")
    .select("tls_fingerprint")
    .where("site_id", "=", siteId)
    .executeTakeFirst();
  return row?.tls_fingerprint ?? null;
}

/** Certificate and key of the authority that signs for a site, PEM; undefined where it has gone meanwhile. */
export async function openAuthority(trx: Trx, vault: Vault, siteId: string) {
  const row = await trx
    .selectFrom("certificate_authorities")
    .innerJoin("sites", "sites.customer_id", "certificate_authorities.customer_id")
    .selectAll("certificate_authorities")
    .where("sites.id", "=", siteId)
    .executeTakeFirst();
  if (!row) return undefined;
  const key = await vault.open(trx, row.customer_id, authorityBinding(row.customer_id), row.private_key);
  return { certificate: row.certificate, fingerprint: row.fingerprint, privateKey: key };
}

export function authorityBinding(customerId: string) {
  return { table: "certificate_authorities", column: "private_key", rowId: customerId };
}

/** Before the router shows it to anybody. */
export async function remember(trx: Trx, siteId: string, found: SiteCertificate): Promise<void> {
  const known = await lockKnown(trx, siteId);
  await storeKnown(trx, siteId, [...known.filter(({ name }) => name !== found.name), found]);
}

/** They have gone from the router. */
export async function forget(trx: Trx, siteId: string, names: readonly string[]): Promise<void> {
  const known = await lockKnown(trx, siteId);
  await storeKnown(
    trx,
    siteId,
    known.filter(({ name }) => !names.includes(name)),
  );
}

/** Ask for another certificate in the place of this one. */
export async function renew(trx: Trx, siteId: string, number: number): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable("site_certificates")
    .set({ certificate_number: sql<number>`certificate_number + 1` })
    .where("site_id", "=", siteId)
    .where("certificate_number", "=", number)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await changeIntent(trx, [siteId]);
}

/** What becomes of a request; undefined when nothing of it is left on the router. */
export async function storeRequest(
  trx: Trx,
  vault: Vault,
  siteId: string,
  request: RequestFacts | undefined,
): Promise<void> {
  const { customer_id: customerId } = await trx
    .selectFrom("site_certificates")
    .select("customer_id")
    .where("site_id", "=", siteId)
    .executeTakeFirstOrThrow();
  const text = request && JSON.stringify({ ...request, passphrase: request.passphrase.reveal() });
  const sealed = text ? await vault.seal(trx, customerId, requestBinding(siteId), new Secret(text)) : null;
  await trx
    .updateTable("site_certificates")
    .set({ certificate_request: sealed })
    .where("site_id", "=", siteId)
    .execute();
}

async function openRequest(
  trx: Trx,
  vault: Vault,
  customerId: string,
  siteId: string,
  sealed: Buffer,
): Promise<RequestFacts> {
  const text = (await vault.open(trx, customerId, requestBinding(siteId), sealed)).reveal();
  const { passphrase, ...request } = JSON.parse(text) as RequestFacts & { passphrase: string };
  return { ...request, passphrase: new Secret(passphrase) };
}

/** The table is the one it was in at first. */
function requestBinding(siteId: string) {
  return { table: "sites", column: "certificate_request", rowId: siteId };
}

async function lockKnown(trx: Trx, siteId: string): Promise<SiteCertificate[]> {
  const { certificates } = await trx
    .selectFrom("site_certificates")
    .select("certificates")
    .where("site_id", "=", siteId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return certificates;
}

async function storeKnown(trx: Trx, siteId: string, known: readonly SiteCertificate[]): Promise<void> {
  await trx
    .updateTable("site_certificates")
    .set({ certificates: JSON.stringify(known) })
    .where("site_id", "=", siteId)
    .execute();
}
