/**
 * The rows this module wants on a router: a certificate of ours, and `api-ssl` serving it. Pure.
 *
 * The name of a certificate is made from all that is in it, so what has to be different has another name: an address
 * that changed, another authority, a renewal. Certificates have no comment; ours are known by how their names begin.
 */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { certificate, file, ipService, type Row, userGroup } from "@portreeve/routeros";
import { API_GROUP, API_POLICIES } from "../credentials/index.ts";
import type { DesiredMenu, DesiredRow, Observed, RouterFacts, RowMatch } from "../reconcile/types.ts";
import type { CertificateFacts } from "./facts.ts";
import { isComplete, issued, requestFiles, selfSigned } from "./issuance.ts";
import { KEY_FILE, PREFIX, REQUEST_FILE } from "./request.ts";

/** What this module would know of a site under a policy of these services, if it were to come in by this transport. */
export function under(
  facts: CertificateFacts,
  target: CertificateFacts["target"],
  services: Readonly<Record<string, { readonly enabled: boolean }>>,
): CertificateFacts {
  return { ...facts, target, isOpen: services.api_ssl?.enabled ?? false };
}

/** The name of the certificate api-ssl is to serve; undefined where that is not ours to say. */
export function wantedName(facts: CertificateFacts): string | undefined {
  const { target, isOpen, keepsCertificate, known, authority, address, number } = facts;
  // After a move back to api, api-ssl keeps what others may have come to know, as long as the policy opens it.
  const isWanted = target === "api-ssl" || (isOpen && known.length > 0);
  if (keepsCertificate || !isWanted) return undefined;
  const content = JSON.stringify([contentOf(address), authority?.fingerprint ?? null, number]);
  return PREFIX + createHash("sha256").update(content).digest("hex").slice(0, 12);
}

/** An RSA key, because RouterOS 6 makes no other; a name no longer than X.509 allows. */
export function contentOf(address: string) {
  return {
    "common-name": address.length <= 64 ? address : "portreeve",
    "subject-alt-name": `${isIP(address) ? "IP" : "DNS"}:${address}`,
    "key-usage": "digital-signature,key-encipherment,tls-server",
    "key-size": "2048",
    "days-valid": "365",
  };
}

export function desired(facts: CertificateFacts, router: RouterFacts): DesiredMenu[] {
  const owns: RowMatch = { field: "name", startsWith: [PREFIX] };
  const { observed } = router;
  if (router.offboarding) {
    const left = facts.request?.isClear ? files(facts, undefined, observed) : [];
    return [{ menu: certificate, rows: [], owns, managementPath: "every" }, ...left];
  }
  const name = wantedName(facts);
  return [
    { menu: certificate, rows: [...wanted(facts, name, observed), ...inUse(facts, name)], owns },
    {
      menu: ipService,
      rows: name === undefined ? given(facts, observed) : serving(facts, name, observed),
      owns: "none",
    },
    ...files(facts, name, observed),
    ...rights(facts, name),
  ];
}

function wanted(facts: CertificateFacts, name: string | undefined, observed: Observed): DesiredRow[] {
  if (name === undefined) return [];
  const fields = contentOf(facts.address);
  if (!facts.authority) return [selfSigned(name, fields, observed)];
  return facts.request?.name === name ? issued(facts.request, fields, observed) : present(name);
}

/** The files of a request that is under way stay, those of another one go. */
function files({ request }: CertificateFacts, name: string | undefined, observed: Observed): DesiredMenu[] {
  if (!request) return [];
  const prints = [
    { queries: [`?name=${REQUEST_FILE}`] },
    // What is in it is not for us to see.
    { queries: [`?name=${KEY_FILE}`], proplist: [".id", "name"] },
  ];
  const rows = request.name === name ? requestFiles(request, observed) : [];
  const owns: RowMatch = request.isClear ? { field: "name", is: [REQUEST_FILE, KEY_FILE] } : "none";
  return [{ menu: file, prints, rows, owns }];
}

/** Making a key takes one right more, and so do files. */
function rights({ authority, request }: CertificateFacts, name: string | undefined): DesiredMenu[] {
  if (name === undefined && !request) return [];
  const policy = `${API_POLICIES},sensitive${authority || request ? ",ftp" : ""}`;
  return [{ menu: userGroup, rows: [{ key: API_GROUP, fields: { policy } }], owns: "none" }];
}

/** The one we come in by stays until another one has proven itself. */
function inUse({ transport, known, shown }: CertificateFacts, wanted: string | undefined): DesiredRow[] {
  return known
    .filter(({ name, fingerprint }) => transport === "api-ssl" && fingerprint === shown && name !== wanted)
    .flatMap(({ name }) => present(name));
}

/** As it is, if it is there. */
function present(name: string): DesiredRow[] {
  return [{ key: name, fields: {}, nextCommand: "none" }];
}

/** Until there is a certificate, api-ssl would answer anybody without one. */
function serving(facts: CertificateFacts, name: string, observed: Observed): DesiredRow[] {
  const key = "api-ssl";
  if (isKnownTo(facts, observed, name))
    return [{ key, fields: { certificate: name, "tls-version": "only-1.2" } }];
  const hasNone = ["", "none"].includes(servedNow(observed));
  return facts.transport === "api" && hasNone ? [{ key, fields: { disabled: "true" } }] : [];
}

/** A closed api-ssl gives our certificate up, so that it can be removed. */
function given({ transport, isOpen }: CertificateFacts, observed: Observed): DesiredRow[] {
  if (transport === "api-ssl" || isOpen || !servedNow(observed).startsWith(PREFIX)) return [];
  return [{ key: "api-ssl", fields: { certificate: "none" } }];
}

/** The certificate api-ssl serves, by name. */
function servedNow(observed: Observed): string {
  return rowOf(observed, ipService.path, "api-ssl")?.certificate ?? "none";
}

/** The certificate is on the router, and it is the one whose fingerprint the database knows. */
export function isKnownTo({ known }: CertificateFacts, observed: Observed, name: string): boolean {
  const row = rowOf(observed, certificate.path, name);
  return isComplete(row) && known.some((one) => one.name === name && one.fingerprint === fingerprintOf(row));
}

/** In the form the database has. */
export function fingerprintOf(row: Row): string {
  return (row.fingerprint ?? "").replaceAll(":", "").toLowerCase();
}

/** The row of this name that is no listener's and no connection's. */
export function rowOf(observed: Observed, path: string, name: string): Row | undefined {
  return observed.get(path)?.find((row) => row.name === name && row.dynamic !== "true");
}
