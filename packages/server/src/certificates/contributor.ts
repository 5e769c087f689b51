/**
 * Certificates for the reconciler, and with them the move of a site from one transport to the other:
 *
 *   certificate made -> its fingerprint in the database -> api-ssl serves it -> a login over it -> the site is switched
 *
 * Until the switch the old transport is the management path and stays open; from then on the new one, which has proven itself.
 * So one of the two always works, and the database always names one that does.
 */
import type { Row } from "@portreeve/routeros";
import type { Database, SiteCertificate } from "../database/index.ts";
import { type Advance, type Contributor, messageOf, type Observed } from "../reconcile/index.ts";
import { endMove, findMove, type Move, startMove } from "../routers/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import { issue } from "./authority.ts";
import { contentOf, desired, fingerprintOf, isKnownTo, rowOf, under, wantedName } from "./desired.ts";
import { CERTIFICATES, type CertificateFacts, type RequestFacts } from "./facts.ts";
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

const PASSPHRASE_LENGTH = 32;

export interface CertificateContributorOptions {
  readonly database: Database;
  readonly vault: Vault;
}

export interface CertificateContributor extends Contributor {
  /** Stands in for it where another policy is tried out: as if the site were to come in by this transport. */
  under(
    target: CertificateFacts["target"],
    services: Readonly<Record<string, { readonly enabled: boolean }>>,
  ): Contributor;
}

export function certificateContributor(options: CertificateContributorOptions): CertificateContributor {
  const { vault } = options;
  return {
    name: CERTIFICATES,
    async load(trx, siteId) {
      const facts = await loadFacts(trx, vault, siteId);
      const move = await findMove(trx, siteId);
      return {
        desired: (router) => desired(facts, router),
        advance: (observed) => new SiteCertificates(options, siteId, { facts, observed, move }).advance(),
        async record(trx, { observed }) {
          const gone = facts.known.filter(({ name }) => !rowOf(observed, "/certificate", name));
          if (gone.length > 0)
            await forget(
              trx,
              siteId,
              gone.map(({ name }) => name),
            );
          if (move?.refused !== undefined) await endMove(trx, siteId);
        },
      };
    },
    async openSecret(trx, siteId, id) {
      const { request } = await loadFacts(trx, vault, siteId);
      if (request?.name !== id) throw new Error(`site ${siteId} has no request for ${id}`);
      return request.passphrase;
    },
    under: (target, services) => ({
      name: CERTIFICATES,
      async load(trx, siteId) {
        const facts = under(await loadFacts(trx, vault, siteId), target, services);
        return { desired: (router) => desired(facts, router) };
      },
    }),
  };
}

interface Seen {
  readonly facts: CertificateFacts;
  readonly observed: Observed;
  /** To another transport, that was begun. */
  readonly move: Move | undefined;
}

/** One look at one site's certificates. */
class SiteCertificates {
  readonly #options: CertificateContributorOptions;
  readonly #siteId: string;
  readonly #facts: CertificateFacts;
  readonly #observed: Observed;
  readonly #begun: Move | undefined;

  constructor(options: CertificateContributorOptions, siteId: string, { facts, observed, move }: Seen) {
    this.#options = options;
    this.#siteId = siteId;
    this.#facts = facts;
    this.#observed = observed;
    this.#begun = move;
  }

  async advance(): Promise<Advance> {
    const { transport, target, keepsCertificate } = this.#facts;
    const name = wantedName(this.#facts);
    const next = name === undefined ? await this.#endRequest() : await this.#certificate(name);
    if (next !== "done") return next;
    if (transport !== target && !keepsCertificate) return this.#move();
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

  /** Once the router offers the transport the policy names, have it proved. */
  async #move(): Promise<Advance> {
    const { transport, target } = this.#facts;
    const way = this.#offered();
    const stays = `; Portreeve stays on ${transport}, which stays open`;
    if (!way) return { problem: `${target} is not ready on the router${stays}` };
    const refused = this.#begun?.refused;
    if (refused !== undefined) {
      return { problem: `no login by ${target} on port ${way.port} (${refused})${stays}` };
    }
    await this.#options.database.asSystem((trx) => startMove(trx, this.#siteId, way));
    return "changed";
  }

  /** The service as it stands on the router, where it is ready for us. */
  #offered() {
    const { target } = this.#facts;
    const service = rowOf(this.#observed, "/ip/service", target);
    if (service?.disabled !== "false") return undefined;
    const port = Number(service.port);
    if (target === "api") return { transport: target, port, fingerprint: null } as const;
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
