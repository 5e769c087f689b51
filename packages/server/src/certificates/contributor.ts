/**
 * Certificates for the reconciler, and with them the move of a site from one transport to the other:
 *
 *   certificate made -> its fingerprint in the database -> api-ssl serves it -> a login over it -> the site is switched
 *
 * Until the switch the old transport is the way in and stays open; from then on the new one, which has proven itself.
 * So one of the two always works, and the database always names one that does.
 */
import { RouterOsError, type Row } from "@portreeve/routeros";
import type { CredentialAccess } from "../credentials/index.ts";
import type { Database, SiteCertificate } from "../database/index.ts";
import { type Advance, type Contributor, messageOf, type Observed } from "../reconcile/index.ts";
import {
  type CertificateFacts,
  desired,
  fingerprintOf,
  isKnownTo,
  rowOf,
  wantedCertificate,
} from "./desired.ts";
import { isDue, timeOf } from "./renewal.ts";
import { forget, loadFacts, remember, renew } from "./store.ts";

export interface CertificateContributorOptions {
  readonly database: Database;
  readonly access: CredentialAccess;
}

export function certificateContributor(
  options: CertificateContributorOptions,
): Contributor<CertificateFacts> {
  const { database } = options;
  return {
    name: "certificates",
    load: loadFacts,
    desired,
    async advance(siteId, facts, observed, signal) {
      const name = wantedCertificate(facts)?.key ?? "";
      const row = rowOf(observed, "/certificate", name);
      const next = row ? await keepTrack(database, siteId, facts, observed, row) : "settled";
      if (next !== "settled") return next;
      if (facts.transport !== facts.target) return move(options, siteId, facts, observed, signal);
      if (facts.known.length < 2) return "settled";
      // Once the new certificate was shown to a new login, the old one can go.
      const { shown } = await database.asSystem((trx) => loadFacts(trx, siteId));
      return shown === facts.shown ? "settled" : "changed";
    },
    async record(trx, siteId, { known }, { observed }) {
      const gone = known.filter(({ name }) => !rowOf(observed, "/certificate", name));
      if (gone.length > 0)
        await forget(
          trx,
          siteId,
          gone.map(({ name }) => name),
        );
    },
  };
}

/** The fingerprint of a new certificate is written down before anything serves it; one that ends soon is replaced. */
async function keepTrack(
  database: Database,
  siteId: string,
  facts: CertificateFacts,
  observed: Observed,
  row: Row,
): Promise<Advance> {
  const name = row.name ?? "";
  if (!isKnownTo(facts, observed, name)) {
    const found = foundIn(row);
    if (!found)
      return { problem: `certificate ${name} has no SHA-256 fingerprint, or no end, that can be read` };
    await database.asSystem((trx) => remember(trx, siteId, found));
    return "changed";
  }
  if (!isDue(row)) return "settled";
  await database.asSystem((trx) => renew(trx, siteId, facts.number));
  return "changed";
}

function foundIn(row: Row): SiteCertificate | undefined {
  const fingerprint = fingerprintOf(row);
  const end = timeOf(row["invalid-after"]);
  if (!fingerprint || !/^[0-9a-f]{64}$/.test(fingerprint) || end === undefined) return undefined;
  return { name: row.name ?? "", fingerprint, not_after: new Date(end).toISOString(), issuer: "self-signed" };
}

/** Once the router offers the transport the policy names, come in by it. */
async function move(
  { access }: CertificateContributorOptions,
  siteId: string,
  facts: CertificateFacts,
  observed: Observed,
  signal: AbortSignal,
): Promise<Advance> {
  const { transport, target } = facts;
  const way = facts.keepsCertificate ? undefined : offered(facts, observed);
  if (!way) return "settled";
  try {
    await access.moveTo(siteId, way, signal);
    return "changed";
  } catch (error) {
    if (!(error instanceof RouterOsError) || signal.aborted) throw error;
    const reason = `no login by ${target} on port ${way.port} (${messageOf(error)})`;
    return { problem: `${reason}; Portreeve stays on ${transport}, which stays open` };
  }
}

/** The service as it stands on the router, where it is ready for us. */
function offered(facts: CertificateFacts, observed: Observed) {
  const { target } = facts;
  const service = rowOf(observed, "/ip/service", target);
  if (service?.disabled !== "false") return undefined;
  const port = Number(service.port);
  if (target === "api") return { transport: target, port, fingerprint: null };
  const name = wantedCertificate(facts)?.key ?? "";
  if (service.certificate !== name || !isKnownTo(facts, observed, name)) return undefined;
  const fingerprint = fingerprintOf(rowOf(observed, "/certificate", name)) ?? "";
  return { transport: target, port, fingerprint };
}
