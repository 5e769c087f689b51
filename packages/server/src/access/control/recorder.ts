import { setTimeout as delay } from "node:timers/promises";
import type { Report } from "@portreeve/gateway";
import type { Logger } from "pino";
import type { Database } from "../../database/index.ts";
import type { SiteService } from "../../sites/index.ts";
import { recordReports } from "./records.ts";

/** Reports in one transaction. */
const BATCH = 200;
const RETRY_MS = 500;

export interface RecorderOptions {
  readonly database: Database;
  readonly sites: SiteService;
  readonly log: Logger;
  readonly from: { readonly gatewayId: string; readonly instance: string };
  /** These stand in the database. */
  readonly recorded: (reports: readonly Report[]) => void;
  /** The process holds the gateway no more. */
  readonly superseded: () => void;
}

/** Writes one channel's reports down, one batch after the other: the record may be late, the closing was not. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #stop = new AbortController();
  #waiting: Report[] = [];
  #running: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  add(report: Report): void {
    this.#waiting.push(report);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** What is not recorded by then the gateway tells again over its next channel. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { database, sites, from, log, recorded, superseded } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      try {
        const changed = await database.asSystem((trx) => recordReports(trx, from, batch));
        if (changed === undefined) return superseded();
        if (changed.length > 0) await database.asSystem((trx) => sites.bumpGeneration(trx, changed));
        this.#waiting = this.#waiting.slice(batch.length);
        recorded(batch);
      } catch (err) {
        if (this.#stop.signal.aborted) return;
        log.error(
          { err, reports: this.#waiting.length },
          "could not record what a gateway reports; trying again",
        );
        await delay(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
      if (this.#stop.signal.aborted) return;
    }
  }
}
