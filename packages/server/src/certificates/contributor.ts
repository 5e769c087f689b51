/** Certificates for the reconciler: what it wants of a router, and the transitions of workflow.ts carried out. */
import type { Database } from "../database/index.ts";
import { type Advance, type Contributor, messageOf } from "../reconcile/index.ts";
import { endMove, findMove, startMove } from "../routers/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import { issue } from "./authority.ts";
import { contentOf, desired, rowOf, under } from "./desired.ts";
import { CERTIFICATES, type CertificateFacts, type RequestFacts } from "./facts.ts";
import {
  forget,
  loadFacts,
  openAuthority,
  remember,
  renew,
  shownFingerprint,
  storeRequest,
} from "./store.ts";
import { nextTransition, type Transition } from "./workflow.ts";

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
        advance: (observed) =>
          carryOut(options, siteId, facts, nextTransition(facts, observed, move, new Date())),
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

/** One transition, written down: what follows from it is planned from the database. */
async function carryOut(
  options: CertificateContributorOptions,
  siteId: string,
  facts: CertificateFacts,
  transition: Transition,
): Promise<Advance> {
  const { database, vault } = options;
  const store = (request: RequestFacts | undefined) =>
    database.asSystem((trx) => storeRequest(trx, vault, siteId, request));
  switch (transition.kind) {
    case "none":
      return "done";
    case "problem":
      return { problem: transition.problem };
    case "begin-request": {
      const passphrase = Secret.generate(PASSPHRASE_LENGTH);
      await store({ name: transition.name, passphrase, isClear: false, issued: null });
      break;
    }
    case "claim-files":
      await store({ ...transition.request, isClear: true });
      break;
    case "sign":
      return sign(options, siteId, facts, transition);
    case "end-request":
      await store(undefined);
      break;
    case "know":
      await database.asSystem((trx) => remember(trx, siteId, transition.certificate));
      break;
    case "renew":
      await database.asSystem((trx) => renew(trx, siteId, facts.number));
      break;
    case "prove-transport":
      await database.asSystem((trx) => startMove(trx, siteId, transition.way));
      break;
    case "see-shown": {
      const now = await database.asSystem((trx) => shownFingerprint(trx, siteId));
      return now === facts.shown ? "done" : "changed";
    }
  }
  return "changed";
}

async function sign(
  { database, vault }: CertificateContributorOptions,
  siteId: string,
  facts: CertificateFacts,
  { request, pem }: Extract<Transition, { kind: "sign" }>,
): Promise<Advance> {
  const { address } = facts;
  const authority = await database.asSystem((trx) => openAuthority(trx, vault, siteId));
  if (authority?.fingerprint !== facts.authority?.fingerprint || !authority) return "changed";
  const content = { name: request.name, address, commonName: contentOf(address)["common-name"] };
  const signed = await issue(pem, content, authority, new Date()).catch((error: unknown) => ({ error }));
  if (typeof signed !== "string") {
    return { problem: `the router's request can't be signed: ${messageOf(signed.error)}` };
  }
  await database.asSystem((trx) => storeRequest(trx, vault, siteId, { ...request, issued: signed }));
  return "changed";
}
