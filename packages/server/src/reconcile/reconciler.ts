/**
 * One run for one site: load -> observe -> plan -> guard -> deliver -> verify -> record. How the management path is changed is
 * in management-path.ts.
 *
 * Takes no input but the site and reads everything afresh, so it may be run at any time, twice, or after a crash. Where
 * the router answers later the run ends, and another one continues from the database (link-calls.ts).
 */

import { LoginError, type MenuFacts, type RouterOsVersion } from "@portreeve/routeros";
import type { Logger } from "pino";
import type { Status } from "../background/index.ts";
import { LeaseLostError } from "../database/index.ts";
import { messageOf, outcomeOf, WaitingError } from "./errors.ts";
import { load, NOTHING, wantedOf } from "./loaded.ts";
import { readsOf, wholeMenus } from "./reads.ts";
import { forget, SiteRun, type SiteRunOptions } from "./site-run.ts";
import type { Contributor, DesiredMenu, Observed } from "./types.ts";

export interface ReconcilerOptions extends SiteRunOptions {
  readonly log: Logger;
}

export interface PreviewOptions {
  /** Contributors that stand in for those of the same name: what if this were wanted instead. */
  readonly instead?: readonly Contributor[];
  /** Menus to read beside those somebody wants rows in. */
  readonly menus?: readonly MenuFacts[];
}

export interface Preview {
  /** What is wanted of the router, given what is there. */
  readonly desired: (observed: Observed) => readonly DesiredMenu[];
  readonly observed: Observed;
  readonly version: RouterOsVersion;
  /** The address the router sees us come from. */
  readonly managementAddress: string;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /**
   * Bring one router to its desired state and write down how that went. Only database errors are thrown.
   * @param isWoken something has changed, or may have: a heartbeat is not enough
   */
  async run(siteId: string, signal: AbortSignal, isWoken = true): Promise<Status> {
    const { sites, database, links, log } = this.#options;
    if (!isWoken && (await links.heartbeat?.(siteId, signal))) return { state: "done" };
    const site = await database.asSystem((trx) => sites.load(trx, siteId));
    if (!site) return { state: "ended" };
    try {
      await new SiteRun(this.#options, siteId, signal).converge();
      return { state: "done" };
    } catch (error) {
      // Shutting down, or losing the site to another process, says nothing about the router.
      if (signal.aborted || error instanceof LeaseLostError)
        return { state: "failed", reason: messageOf(error) };
      // Off-boarding ends with our own user. A router that refuses it has nothing of ours that we could still remove.
      if (site.offboarding && error instanceof LoginError) {
        await forget(this.#options, site);
        return { state: "ended" };
      }
      const outcome = outcomeOf(error);
      // Routers that are away are an expected state, shown at the site; a line each period would bury the rest.
      const level = outcome.state === "pending" ? "debug" : "warn";
      const reason = messageOf(error);
      log[level]({ siteId, state: outcome.state, reason }, "reconcile did not finish");
      await database.asSystem((trx) => sites.finish(trx, site, outcome));
      sites.checked(site);
      if (error instanceof WaitingError) return error.waiting;
      return { state: "reached" in outcome && !outcome.reached ? "unanswered" : "failed", reason };
    }
  }

  /**
   * What a plan for this site is made from now, read from the live router; nothing is delivered.
   * @returns undefined when the site is gone
   * @throws the errors of `RouterLinks.openForReading`; WaitingError where the router does not answer at once
   */
  async preview(
    siteId: string,
    { instead = [], menus = [] }: PreviewOptions,
    signal: AbortSignal,
  ): Promise<Preview | undefined> {
    await using link = await this.#options.links.openForReading(siteId, signal);
    const contributors = this.#options.contributors.map(
      (contributor) => instead.find(({ name }) => name === contributor.name) ?? contributor,
    );
    const loaded = await load({ ...this.#options, contributors }, siteId);
    if (!loaded) return undefined;
    const { version, managementAddress } = link.router;
    const desired = (observed: Observed) => wantedOf(loaded, link.router, observed);
    const reads = readsOf([...desired(NOTHING), ...wholeMenus(menus)], version);
    const answer = await link.observe(reads, { signal });
    if (answer.state === "waiting") throw new WaitingError(answer);
    return { desired, observed: answer.result, version, managementAddress };
  }
}
