/** The SQL of certificates: a customer's authority, and what is known of ours on a router. */
import { type Selectable, sql } from "kysely";
import type { SiteCertificate, Tables, Trx } from "../database/index.ts";
import { changedIntent } from "../sites/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import type { CertificateFacts, RequestFacts } from "./facts.ts";

export type AuthorityRow = Selectable<Tables["certificate_authorities"]>;

/** In the tenant's role there is at most one. */
export function findAuthority(trx: Trx): Promise<AuthorityRow | undefined> {
  return trx.selectFrom("certificate_authorities").selectAll().executeTakeFirst();
}

/** The sites whose certificate is ours. */
export async function sitesWithCertificates(trx: Trx): Promise<string[]> {
  const rows = await trx
    .selectFrom("sites")
    .select("id")
    .where("keeps_certificate", "=", false)
    .where("certificates", "!=", sql<SiteCertificate[]>`'[]'`)
    .execute();
  return rows.map(({ id }) => id);
}

export async function loadFacts(trx: Trx, vault: Vault, siteId: string): Promise<CertificateFacts> {
  const row = await trx
    .selectFrom("sites")
    .innerJoin("policy_revisions", "policy_revisions.id", "sites.policy_revision_id")
    .leftJoin("certificate_authorities as authority", "authority.customer_id", "sites.customer_id")
    .select([
      "sites.customer_id",
      "sites.management_transport as transport",
      "policy_revisions.management_transport as target",
      "policy_revisions.services",
      "sites.keeps_certificate",
      "sites.address",
      "sites.certificate_number",
      "sites.certificates",
      "sites.certificate_request",
      "sites.tls_fingerprint",
      "authority.fingerprint",
      "authority.subject",
      "authority.not_after",
    ])
    .where("sites.id", "=", siteId)
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
    .selectFrom("sites")
    .select("tls_fingerprint")
    .where("id", "=", siteId)
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
  await trx
    .updateTable("sites")
    .set({ certificate_number: sql<number>`certificate_number + 1`, ...changedIntent })
    .where("id", "=", siteId)
    .where("certificate_number", "=", number)
    .execute();
}

/** What becomes of a request; undefined when nothing of it is left on the router. */
export async function storeRequest(
  trx: Trx,
  vault: Vault,
  siteId: string,
  request: RequestFacts | undefined,
): Promise<void> {
  const { customer_id: customerId } = await trx
    .selectFrom("sites")
    .select("customer_id")
    .where("id", "=", siteId)
    .executeTakeFirstOrThrow();
  const text = request && JSON.stringify({ ...request, passphrase: request.passphrase.reveal() });
  const sealed = text ? await vault.seal(trx, customerId, requestBinding(siteId), new Secret(text)) : null;
  await trx.updateTable("sites").set({ certificate_request: sealed }).where("id", "=", siteId).execute();
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

function requestBinding(siteId: string) {
  return { table: "sites", column: "certificate_request", rowId: siteId };
}

async function lockKnown(trx: Trx, siteId: string): Promise<SiteCertificate[]> {
  const { certificates } = await trx
    .selectFrom("sites")
    .select("certificates")
    .where("id", "=", siteId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return certificates;
}

async function storeKnown(trx: Trx, siteId: string, known: readonly SiteCertificate[]): Promise<void> {
  await trx
    .updateTable("sites")
    .set({ certificates: JSON.stringify(known) })
    .where("id", "=", siteId)
    .execute();
}
