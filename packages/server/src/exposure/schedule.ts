/**
 * When which site is checked by itself. The database says when: every minute the sites that are due are listed, and
 * each is claimed and checked once. A claim keeps a check that somebody asked for from running beside it.
 */
import type { Logger } from "pino";
import type { LeasedTask, Status } from "../background/index.ts";
import type { Database } from "../database/index.ts";
import { DomainError } from "../kernel/errors.ts";
import { type ClaimedSite, claimDue, listDue, scheduleNewSites } from "./store.ts";

/** Between two looks at what is due, milliseconds. */
const PERIOD_MS = 60_000;
/** Sites looked at at once by one process; each is up to eight connections at a time. */
const CONCURRENCY = 8;

export interface ExposureTaskOptions {
  readonly database: Database;
  /** Checks a site and ends its claim. */
  readonly check: (site: ClaimedSite, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}

export function exposureTask(options: ExposureTaskOptions): LeasedTask {
  return {
    name: "exposure",
    claim: "bucket",
    periodMs: PERIOD_MS,
    concurrency: CONCURRENCY,
    listPeriods: 1,
    list: (buckets) =>
      options.database.asSystem(async (trx) => {
        await scheduleNewSites(trx, buckets);
        return listDue(trx, buckets);
      }),
    run: (siteId, signal) => checkDue(options, siteId, signal),
  };
}

/** The next time is in the database, where the end of a claim puts it. */
async function checkDue(
  { database, check, log }: ExposureTaskOptions,
  siteId: string,
  signal: AbortSignal,
): Promise<Status> {
  const claimed = await database.asSystem((trx) => claimDue(trx, siteId));
  try {
    if (claimed) await check(claimed, signal);
  } catch (error) {
    // A site that is gone, or that can't be looked at now, is no failure of ours.
    if (error instanceof DomainError) log.debug({ siteId, reason: error.message }, "no exposure check");
    else if (!signal.aborted) log.error({ err: error, siteId }, "an exposure check failed");
  }
  return { state: "ended" };
}
