/**
 * Certificates for the reconciler, and with them the move of a site from one transport to the other:
 *
 *   certificate made -> its fingerprint in the database -> api-ssl serves it -> a login over it -> the site is switched
 *
 * Until the switch the old transport is the management path and stays open; from then on the new one, which has proven itself.
 * So one of the two always works, and the database always names one that does.
 */
import { RouterOsError, type Row } from "@portreeve/routeros";
import type { CredentialAccess } from "../credentials/index.ts";
import type { Database, SiteCertificate } from "../database/index.ts";
import { type Advance, type Contributor, messageOf, type Observed } from "../reconcile/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import { issue } from "./authority.ts";
import { contentOf, desired, fingerprintOf, isKnownTo, rowOf, wantedName } from "./desired.ts";
import type { CertificateFacts, RequestFacts } from "./facts.ts";
import { isComplete } from "./issuance.ts";
import { isDue, isEnding, timeOf } from "./renewal.ts";
import { isFor, requestState } from "./request.ts";
import {
  forget,
  loadFacts,
  openAuthority,
  remember,
  renew,
  shownFingerprint,
  storeRequest,
} from "./store.ts";

/** This module among the contributors. */
export const CERTIFICATES = "certificates";

const PASSPHRASE_LENGTH = 32;

export interface CertificateContributorOptions {
  readonly database: Database;
  readonly vault: Vault;
  readonly access: CredentialAccess;
}

export function certificateContributor(
  options: CertificateContributorOptions,
): Contributor<CertificateFacts> {
  const { vault } = options;
  return {
    name: CERTIFICATES,
    load: (trx, siteId) => loadFacts(trx, vault, siteId),
    desired,
    advance: (siteId, facts, observed, signal) =>
      new SiteCertificates(options, siteId, facts, observed).advance(signal),
    async record(trx, siteId, { known }, { observed }) {
      const names = known.map(({ name }) => name).filter((name) => !rowOf(observed, "/certificate", name));
      if (names.length > 0) await forget(trx, siteId, names);
    },
  };
}

/** One look at one site's certificates. */
class SiteCertificates {
  readonly #options: CertificateContributorOptions;
  readonly #siteId: string;
  readonly #facts: CertificateFacts;
  readonly #observed: Observed;

  constructor(
    options: CertificateContributorOptions,
    siteId: string,
    facts: CertificateFacts,
    observed: Observed,
  ) {
    this.#options = options;
    this.#siteId = siteId;
    this.#facts = facts;
    this.#observed = observed;
  }

  async advance(signal: AbortSignal): Promise<Advance> {
    const { transport, target, keepsCertificate } = this.#facts;
    const name = wantedName(this.#facts);
    const next = name === undefined ? await this.#endRequest() : await this.#certificate(name);
    if (next !== "done") return next;
    if (transport !== target && !keepsCertificate) return this.#move(signal);
    return this.#replace();
  }

  /** The wanted certificate: asked for where an authority signs it, known, and replaced before it ends. */
  async #certificate(name: string): Promise<Advance> {
    const row = rowOf(this.#observed, "/certificate", name);
    if (!isComplete(row)) return this.#facts.authority ? this.#ask(name) : "done";
    const ended = await this.#endRequest();
    if (ended !== "done") return ended;
    return isKnownTo(this.#facts, this.#observed, name) ? this.#renew(row) : this.#know(row);
  }

  /** Its fingerprint is written down before anything serves it. */
  async #know(row: Row): Promise<Advance> {
    const found = foundIn(row, this.#facts.authority?.subject ?? "self-signed");
    if (!found)
      return { problem: `certificate ${row.name} has no SHA-256 fingerprint, or no end, that can be read` };
    await this.#options.database.asSystem((trx) => remember(trx, this.#siteId, found));
    return "changed";
  }

  async #renew(row: Row): Promise<Advance> {
    const { authority, number, known } = this.#facts;
    // What an authority signed has its times from our clock, not from the router's.
    const end = known.find(({ name }) => name === row.name)?.not_after ?? "";
    if (!(authority ? isEnding(new Date(end)) : isDue(row))) return "done";
    if (authority && isEnding(authority.notAfter)) {
      const last = authority.notAfter.toISOString().slice(0, 10);
      return { problem: `the certificate authority ends on ${last}; give another one` };
    }
    await this.#options.database.asSystem((trx) => renew(trx, this.#siteId, number));
    return "changed";
  }

  /** What a request needs beside the router: a passphrase, the certainty that it is ours, a signature. */
  async #ask(name: string): Promise<Advance> {
    const { request } = this.#facts;
    if (request?.name !== name) {
      const passphrase = Secret.generate(PASSPHRASE_LENGTH);
      return this.#store({ name, passphrase, isClear: false, issued: null });
    }
    const state = requestState(this.#observed, request);
    if (state.kind === "foreign") {
      return { problem: `${state.file} on the router is not Portreeve's; remove it, or rename it` };
    }
    if (!request.isClear) return this.#store({ ...request, isClear: true });
    if (state.kind !== "requested" || (request.issued && isFor(request.issued, state.pem))) return "done";
    return this.#sign(request, state.pem);
  }

  async #sign(request: RequestFacts, pem: string): Promise<Advance> {
    const { database, vault } = this.#options;
    const { address } = this.#facts;
    const authority = await database.asSystem((trx) => openAuthority(trx, vault, this.#siteId));
    if (authority?.fingerprint !== this.#facts.authority?.fingerprint || !authority) return "changed";
    const content = { name: request.name, address, commonName: contentOf(address)["common-name"] };
    const signed = await issue(pem, content, authority, new Date()).catch((error: unknown) => ({ error }));
    if (typeof signed === "string") return this.#store({ ...request, issued: signed });
    return { problem: `the router's request can't be signed: ${messageOf(signed.error)}` };
  }

  /** A request is over once its files have gone; it may not have made any. */
  async #endRequest(): Promise<Advance> {
    const { request } = this.#facts;
    if (!request) return "done";
    const left = this.#observed.get("/file") ?? [];
    return request.isClear && left.length > 0 ? "done" : this.#store(undefined);
  }

  async #store(request: RequestFacts | undefined): Promise<Advance> {
    const { database, vault } = this.#options;
    await database.asSystem((trx) => storeRequest(trx, vault, this.#siteId, request));
    return "changed";
  }

  /** Once the router offers the transport the policy names, come in by it. */
  async #move(signal: AbortSignal): Promise<Advance> {
    const { transport, target } = this.#facts;
    const way = this.#offered();
    const stays = `; Portreeve stays on ${transport}, which stays open`;
    if (!way) return { problem: `${target} is not ready on the router${stays}` };
    try {
      await this.#options.access.moveTo(this.#siteId, way, signal);
      return "changed";
    } catch (error) {
      if (!(error instanceof RouterOsError) || signal.aborted) throw error;
      return { problem: `no login by ${target} on port ${way.port} (${messageOf(error)})${stays}` };
    }
  }

  /** The service as it stands on the router, where it is ready for us. */
  #offered() {
    const { target } = this.#facts;
    const service = rowOf(this.#observed, "/ip/service", target);
    if (service?.disabled !== "false") return undefined;
    const port = Number(service.port);
    if (target === "api") return { transport: target, port, fingerprint: null };
    const name = wantedName(this.#facts) ?? "";
    const row = rowOf(this.#observed, "/certificate", name);
    if (!row || service.certificate !== name || !isKnownTo(this.#facts, this.#observed, name))
      return undefined;
    return { transport: target, port, fingerprint: fingerprintOf(row) };
  }

  /** Once a new login was shown the new certificate, the old one can go. */
  async #replace(): Promise<Advance> {
    const { known, shown } = this.#facts;
    if (known.length < 2) return "done";
    const now = await this.#options.database.asSystem((trx) => shownFingerprint(trx, this.#siteId));
    return now === shown ? "done" : "changed";
  }
}

function foundIn(row: Row, issuer: string): SiteCertificate | undefined {
  const fingerprint = fingerprintOf(row);
  const end = timeOf(row["invalid-after"]);
  if (!/^[0-9a-f]{64}$/.test(fingerprint) || end === undefined) return undefined;
  return { name: row.name ?? "", fingerprint, not_after: new Date(end).toISOString(), issuer };
}
