/**
 * Checking a site: claimed in one transaction, looked at outside of any, kept in another. One check per site at a
 * time, whichever process; a claim that nobody ended lapses after a minute.
 */
import { record } from "../audit/index.ts";
import type { Database, StoredPort, Trx } from "../database/index.ts";
import { type Actor, actorOf, type Caller } from "../kernel/actor.ts";
import type { SiteId } from "../kernel/ids.ts";
import { sitePolicy } from "../policies/index.ts";
import { askRouter, findSite, SiteNotFoundError, SiteNotReadyError, type SiteRow } from "../sites/index.ts";
import type { CheckedSite, Report } from "./check.ts";
import { CheckRunningError, TooManyChecksError } from "./errors.ts";
import {
  type CheckRow,
  type ClaimedSite,
  claimNow,
  endClaim,
  insertCheck,
  insertRequest,
  lastAnswered,
  lockRequests,
  requestsLately,
} from "./store.ts";

/** Checks that one customer may ask for; each is up to sixteen connections to a router. */
const REQUESTS_PER_MINUTE = 30;
const SYSTEM: Actor = { kind: "system", part: "exposure" };

export interface ExposureServiceOptions {
  readonly database: Database;
  /** Looks at a claimed site from outside, wherever that is done. */
  readonly look: (claimed: Claimed, signal: AbortSignal) => Promise<Report>;
  /** Between two checks of a site. */
  readonly hours: number;
}

/** A claimed site, and what has to be known to check it. */
export interface Claimed extends ClaimedSite, CheckedSite {}

export class ExposureService {
  readonly #options: ExposureServiceOptions;

  constructor(options: ExposureServiceOptions) {
    this.#options = options;
  }

  /**
   * Claim a site because somebody asked.
   * @throws SiteNotFoundError, SiteNotReadyError, CheckRunningError, TooManyChecksError
   */
  claim(caller: Caller, siteId: SiteId): Promise<Claimed> {
    const { customerId } = caller;
    return this.#options.database.asCustomer(customerId, async (trx) => {
      const site = await provenSite(trx, siteId);
      await lockRequests(trx, customerId);
      if ((await requestsLately(trx, customerId)) >= REQUESTS_PER_MINUTE) {
        throw new TooManyChecksError(REQUESTS_PER_MINUTE);
      }
      const claim = await claimNow(trx, site);
      if (!claim) throw new CheckRunningError();
      await insertRequest(trx, customerId);
      const event = {
        action: "site.exposure_check_requested",
        subjectType: "site",
        subjectId: siteId,
        siteId,
      };
      await record(trx, actorOf(caller), event);
      return { ...claim, ...(await toCheck(trx, site)) };
    });
  }

  /**
   * Check a site that the schedule has claimed.
   * @throws DomainError it can't be looked at; the claim has ended all the same
   */
  async checkClaimed(claim: ClaimedSite, signal: AbortSignal): Promise<void> {
    const { database } = this.#options;
    const { customerId, siteId } = claim;
    try {
      const claimed = await database.asCustomer(customerId, async (trx) => {
        return { ...claim, ...(await toCheck(trx, await provenSite(trx, siteId))) };
      });
      const report = await this.look(claimed, signal);
      await database.asCustomer(customerId, (trx) => this.keep(trx, claimed, report));
    } finally {
      await this.end(claim);
    }
  }

  /** @throws RouterUnavailableError this host can't look at it */
  look(claimed: Claimed, signal: AbortSignal): Promise<Report> {
    return askRouter(this.#options.look(claimed, signal));
  }

  /** Keep what was seen and end the claim; ports that were not open before are told in the audit. */
  async keep(trx: Trx, claimed: Claimed, report: Report): Promise<CheckRow> {
    const { siteId, customerId, policy } = claimed;
    await endClaim(trx, claimed, this.#options.hours);
    if (!(await findSite(trx, siteId))) throw new SiteNotFoundError();
    const before = await lastAnswered(trx, siteId);
    const row = await insertCheck(trx, {
      site_id: siteId,
      customer_id: customerId,
      address: report.address,
      from_address: report.fromAddress,
      policy_id: policy.id,
      policy_name: policy.name,
      answered: report.answered,
      ports: JSON.stringify(report.ports),
    });
    await tellNew(trx, claimed, report, before?.ports ?? []);
    return row;
  }

  /** The check is over, whatever came of it. Nothing to do where it was kept. */
  end(claim: ClaimedSite): Promise<void> {
    const { database, hours } = this.#options;
    return database.asCustomer(claim.customerId, (trx) => endClaim(trx, claim, hours));
  }
}

/** A site whose address has not proven to be its router's could be anybody's: it is not checked. */
async function provenSite(trx: Trx, siteId: SiteId): Promise<SiteRow> {
  const site = await findSite(trx, siteId);
  if (!site) throw new SiteNotFoundError();
  if (site.management_address === null) throw new SiteNotReadyError("The router has not been adopted yet.");
  if (site.reached_address !== site.address) {
    throw new SiteNotReadyError("Portreeve has not logged in to the router at this address yet.");
  }
  return site;
}

async function toCheck(trx: Trx, site: SiteRow): Promise<CheckedSite> {
  const policy = await sitePolicy(trx, site);
  return { address: site.address, managementAddress: site.management_address ?? "", policy };
}

async function tellNew(trx: Trx, { siteId, policy }: Claimed, report: Report, before: readonly StoredPort[]) {
  const known = new Set(exposed(before).map(({ port }) => port));
  const added = exposed(report.ports).filter(({ port }) => !known.has(port));
  if (added.length === 0) return;
  await record(trx, SYSTEM, {
    action: "site.exposed",
    subjectType: "site",
    subjectId: siteId,
    siteId,
    detail: {
      from_address: report.fromAddress,
      policy: policy.name,
      ports: added.map(({ port, service, reason }) => ({ port, service, reason })),
    },
  });
}

function exposed(ports: readonly StoredPort[]): StoredPort[] {
  return ports.filter(({ finding }) => finding === "open_against_policy");
}
