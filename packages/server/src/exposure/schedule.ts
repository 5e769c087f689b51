/**
 * When which site is checked by itself. Level-triggered: every tick looks into the database for what is due, claims
 * some of it and checks it; several processes share the work without knowing of each other.
 */
import type { Logger } from "pino";
import type { Database } from "../database/index.ts";
import { DomainError } from "../kernel/errors.ts";
import { type ClaimedSite, claimDue, scheduleNewSites } from "./store.ts";

/** Between two looks at what is due, milliseconds; a check that ends makes one too. */
const TICK_MS = 60_000;
/** Sites looked at at once by one process; each is up to eight connections at a time. */
const CONCURRENCY = 8;

export interface ExposureScheduleOptions {
  readonly database: Database;
  /** Checks a site and ends its claim. */
  readonly check: (site: ClaimedSite, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly tickMs?: number;
}

export class ExposureSchedule {
  readonly #options: ExposureScheduleOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;

  constructor(options: ExposureScheduleOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#options.tickMs ?? TICK_MS);
    this.#tick();
  }

  /** Abort what runs and wait for it to end. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#ticking;
    await Promise.all(this.#running);
  }

  #tick(): void {
    if (this.#stopping.signal.aborted) return;
    this.#ticking ??= this.#claim().finally(() => {
      this.#ticking = undefined;
    });
  }

  async #claim(): Promise<void> {
    const { database, log } = this.#options;
    const free = CONCURRENCY - this.#running.size;
    if (free <= 0) return;
    try {
      const due = await database.asSystem(async (trx) => {
        await scheduleNewSites(trx);
        return claimDue(trx, free);
      });
      for (const site of due) this.#run(site);
    } catch (error) {
      log.error({ err: error }, "could not look up which exposure checks are due");
    }
  }

  #run(site: ClaimedSite): void {
    const run = this.#check(site).finally(() => {
      this.#running.delete(run);
      this.#tick();
    });
    this.#running.add(run);
  }

  async #check(site: ClaimedSite): Promise<void> {
    const { check, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      await check(site, signal);
    } catch (error) {
      const { siteId } = site;
      // A site that is gone, or that can't be looked at now, is no failure of ours.
      if (error instanceof DomainError) log.debug({ siteId, reason: error.message }, "no exposure check");
      else if (!signal.aborted) log.error({ err: error, siteId }, "an exposure check failed");
    }
  }
}
