/**
 * The rows this module wants on a router: a certificate of ours, and `api-ssl` serving it. Pure.
 *
 * The name of a certificate is made from all that is in it, so what has to be different has another name: an address
 * that changed, another authority, a renewal. Certificates have no comment; ours are known by how their names begin.
 */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { certificate, ipService, type Row, userGroup } from "@portreeve/routeros";
import { API_GROUP, API_POLICIES } from "../credentials/index.ts";
import type { SiteCertificate } from "../database/index.ts";
import type { DesiredMenu, DesiredRow, Observed, RouterFacts } from "../reconcile/types.ts";

const PREFIX = "portreeve-";
export type Transport = "api" | "api-ssl";

export interface CertificateFacts {
  /** The service Portreeve comes in by, and the one the site's policy names. */
  readonly transport: Transport;
  readonly target: Transport;
  /** The policy opens api-ssl, to whomever. */
  readonly isOpen: boolean;
  /** The certificate is the operator's: it stays, and so does api-ssl. */
  readonly keepsCertificate: boolean;
  /** Where we connect to: an address or a host name. */
  readonly address: string;
  /** Grows with every renewal. */
  readonly number: number;
  /** Ours on the router, whose fingerprints are in the database. */
  readonly known: readonly SiteCertificate[];
  /** The fingerprint the router showed last. */
  readonly shown: string | null;
}

/** The certificate api-ssl is to serve; undefined where that is not ours to say. */
export function wantedCertificate(facts: CertificateFacts): DesiredRow | undefined {
  const { target, isOpen, keepsCertificate, known } = facts;
  // After a move back to api, api-ssl keeps what others may have come to know, as long as the policy opens it.
  const isWanted = target === "api-ssl" || (isOpen && known.length > 0);
  if (keepsCertificate || !isWanted) return undefined;
  const fields = contentOf(facts.address);
  const content = JSON.stringify([fields, facts.number]);
  const key = PREFIX + createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { key, fields };
}

/** An RSA key, because RouterOS 6 makes no other; a name no longer than X.509 allows. */
function contentOf(address: string): Record<string, string> {
  return {
    "common-name": address.length <= 64 ? address : "portreeve",
    "subject-alt-name": `${isIP(address) ? "IP" : "DNS"}:${address}`,
    "key-usage": "digital-signature,key-encipherment,tls-server",
    "key-size": "2048",
    "days-valid": "365",
  };
}

export function desired(facts: CertificateFacts, router: RouterFacts): DesiredMenu[] {
  const owns = ({ name = "" }: Row) => name.startsWith(PREFIX);
  if (router.offboarding) return [{ menu: certificate, rows: [], owns, wayIn: () => true }];
  const wanted = wantedCertificate(facts);
  const rows = [...(wanted ? [wanted] : []), ...inUse(facts, wanted)];
  const services = wanted ? serving(facts, wanted.key) : given(facts);
  return [
    { menu: certificate, rows, owns },
    { menu: ipService, rows: services, owns: () => false },
    // Making a key takes one right more.
    ...(wanted ? [{ menu: userGroup, rows: [SIGNING_GROUP], owns: () => false }] : []),
  ];
}

const SIGNING_GROUP = { key: API_GROUP, fields: { policy: `${API_POLICIES},sensitive` } };

/** The one we come in by stays until another one has proven itself. */
function inUse({ transport, known, shown }: CertificateFacts, wanted: DesiredRow | undefined): DesiredRow[] {
  return known
    .filter(
      ({ name, fingerprint }) => transport === "api-ssl" && fingerprint === shown && name !== wanted?.key,
    )
    .map(({ name }) => ({
      key: name,
      fields: {},
      when: (observed) => rowOf(observed, certificate.path, name) !== undefined,
    }));
}

/** Until there is a certificate, api-ssl would answer anybody without one. */
function serving(facts: CertificateFacts, name: string): DesiredRow[] {
  const isReady = (observed: Observed) => isKnownTo(facts, observed, name);
  const hasNone = (observed: Observed) => {
    const { certificate: current = "none" } = rowOf(observed, ipService.path, "api-ssl") ?? {};
    return ["", "none"].includes(current);
  };
  const key = "api-ssl";
  const rows: DesiredRow[] = [
    { key, fields: { certificate: name, "tls-version": "only-1.2" }, when: isReady },
  ];
  if (facts.transport === "api")
    rows.push({
      key,
      fields: { disabled: "true" },
      when: (observed) => !isReady(observed) && hasNone(observed),
    });
  return rows;
}

/** A closed api-ssl gives our certificate up, so that it can be removed. */
function given({ transport, isOpen }: CertificateFacts): DesiredRow[] {
  if (transport === "api-ssl" || isOpen) return [];
  const usesOurs = (observed: Observed) =>
    (rowOf(observed, ipService.path, "api-ssl")?.certificate ?? "").startsWith(PREFIX);
  return [{ key: "api-ssl", fields: { certificate: "none" }, when: usesOurs }];
}

/** The certificate is on the router, and it is the one whose fingerprint the database knows. */
export function isKnownTo({ known }: CertificateFacts, observed: Observed, name: string): boolean {
  const shown = fingerprintOf(rowOf(observed, certificate.path, name));
  return shown !== undefined && known.some((one) => one.name === name && one.fingerprint === shown);
}

/** In the form the database has; undefined for a template. */
export function fingerprintOf(row: Row | undefined): string | undefined {
  return row?.fingerprint?.replaceAll(":", "").toLowerCase() || undefined;
}

/** The row of this name that is no listener's and no connection's. */
export function rowOf(observed: Observed, path: string, name: string): Row | undefined {
  return observed.get(path)?.find((row) => row.name === name && row.dynamic !== "true");
}
