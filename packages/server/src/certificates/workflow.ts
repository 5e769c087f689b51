/**
 * How a certificate comes about, is renewed, and takes over, and with it the move from one transport to the other.
 * Pure: what follows from what is known and what is on the router. The states are in the database: the request, the
 * certificates whose fingerprints are known, and the number of the renewal.
 *
 *   begin-request -> claim-files -> sign -> know -> (served, and shown at a login) -> see-shown -> (the old one goes)
 *                                            ^ without an authority the router signs by itself
 *   a certificate that ends: renew -> all of it once more, under another name
 *   transport is another than the policy's: prove-transport -> the workflow `move`
 *
 * Until the move the old transport is the management path and stays open; from then on the new one, which has proven
 * itself. So one of the two always works, and the database always names one that does.
 */
import type { Row } from "@portreeve/routeros";
import type { SiteCertificate } from "../database/index.ts";
import type { Observed } from "../reconcile/types.ts";
import type { Move } from "../routers/index.ts";
import { fingerprintOf, isKnownTo, rowOf, wantedName } from "./desired.ts";
import type { CertificateFacts, RequestFacts } from "./facts.ts";
import { isComplete } from "./issuance.ts";
import { isDue, isEnding, timeOf } from "./renewal.ts";
import { isFor, requestState } from "./request.ts";

export type Transition =
  | { readonly kind: "none" }
  | { readonly kind: "problem"; readonly problem: string }
  /** A passphrase is kept before the router makes a key with it. */
  | { readonly kind: "begin-request"; readonly name: string }
  /** Nobody else's request is in the files' place: they are ours from now on. */
  | { readonly kind: "claim-files"; readonly request: RequestFacts }
  | { readonly kind: "sign"; readonly request: RequestFacts; readonly pem: string }
  /** A request is over once its files have gone. */
  | { readonly kind: "end-request" }
  /** A certificate's fingerprint is written down before anything serves it. */
  | { readonly kind: "know"; readonly certificate: SiteCertificate }
  | { readonly kind: "renew" }
  /** The router offers the transport that the policy names. */
  | { readonly kind: "prove-transport"; readonly way: Move["way"] }
  /** Once a new login was shown the new certificate, the old one can go. */
  | { readonly kind: "see-shown" };

const NONE = { kind: "none" } as const;

/**
 * @param move to another transport, that was begun
 * @param now by our clock
 */
export function nextTransition(
  facts: CertificateFacts,
  observed: Observed,
  move: Move | undefined,
  now: Date,
): Transition {
  const { transport, target, keepsCertificate, known } = facts;
  const name = wantedName(facts);
  const next = name === undefined ? endRequest(facts, observed) : ofCertificate(name, facts, observed, now);
  if (next.kind !== "none") return next;
  if (transport !== target && !keepsCertificate) return ofTransport(facts, observed, move);
  return known.length < 2 ? NONE : { kind: "see-shown" };
}

/** The wanted certificate: asked for where an authority signs it, known, and replaced before it ends. */
function ofCertificate(name: string, facts: CertificateFacts, observed: Observed, now: Date): Transition {
  const row = rowOf(observed, "/certificate", name);
  if (!isComplete(row)) return facts.authority ? ofRequest(name, facts, observed) : NONE;
  const ended = endRequest(facts, observed);
  if (ended.kind !== "none") return ended;
  if (isKnownTo(facts, observed, name)) return renewal(row, facts, now);
  const certificate = foundIn(row, facts.authority?.subject ?? "self-signed");
  if (certificate) return { kind: "know", certificate };
  return problem(`certificate ${row.name} has no SHA-256 fingerprint, or no end, that can be read`);
}

function renewal(row: Row, { authority, known }: CertificateFacts, now: Date): Transition {
  // What an authority signed has its times from our clock, not from the router's.
  const end = known.find(({ name }) => name === row.name)?.not_after ?? "";
  if (!(authority ? isEnding(new Date(end), now) : isDue(row))) return NONE;
  if (authority && isEnding(authority.notAfter, now)) {
    const last = authority.notAfter.toISOString().slice(0, 10);
    return problem(`the certificate authority ends on ${last}; give another one`);
  }
  return { kind: "renew" };
}

/** What a request needs beside the router: a passphrase, the certainty that it is ours, a signature. */
function ofRequest(name: string, { request }: CertificateFacts, observed: Observed): Transition {
  if (request?.name !== name) return { kind: "begin-request", name };
  const state = requestState(observed, request);
  if (state.kind === "foreign") {
    return problem(`${state.file} on the router is not Portreeve's; remove it, or rename it`);
  }
  if (!request.isClear) return { kind: "claim-files", request };
  if (state.kind !== "requested" || (request.issued && isFor(request.issued, state.pem))) return NONE;
  return { kind: "sign", request, pem: state.pem };
}

/** It may not have made any files. */
function endRequest({ request }: CertificateFacts, observed: Observed): Transition {
  if (!request) return NONE;
  const left = observed.get("/file") ?? [];
  return request.isClear && left.length > 0 ? NONE : { kind: "end-request" };
}

function ofTransport(facts: CertificateFacts, observed: Observed, move: Move | undefined): Transition {
  const { transport, target } = facts;
  const way = offered(facts, observed);
  const stays = `; Portreeve stays on ${transport}, which stays open`;
  if (!way) return problem(`${target} is not ready on the router${stays}`);
  if (move?.refused !== undefined) {
    return problem(`no login by ${target} on port ${move.way.port} (${move.refused})${stays}`);
  }
  return { kind: "prove-transport", way };
}

/** The service as it stands on the router, where it is ready for us. */
function offered(facts: CertificateFacts, observed: Observed): Move["way"] | undefined {
  const { target } = facts;
  const service = rowOf(observed, "/ip/service", target);
  if (service?.disabled !== "false") return undefined;
  const port = Number(service.port);
  if (target === "api") return { transport: target, port, fingerprint: null };
  const name = wantedName(facts) ?? "";
  const row = rowOf(observed, "/certificate", name);
  if (!row || service.certificate !== name || !isKnownTo(facts, observed, name)) return undefined;
  return { transport: target, port, fingerprint: fingerprintOf(row) };
}

function foundIn(row: Row, issuer: string): SiteCertificate | undefined {
  const fingerprint = fingerprintOf(row);
  const end = timeOf(row["invalid-after"]);
  if (!/^[0-9a-f]{64}$/.test(fingerprint) || end === undefined) return undefined;
  return { name: row.name ?? "", fingerprint, not_after: new Date(end).toISOString(), issuer };
}

function problem(text: string): Transition {
  return { kind: "problem", problem: text };
}
