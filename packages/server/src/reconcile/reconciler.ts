/**
 * One run for one site: load -> observe -> plan -> guard -> deliver -> verify -> record.
 *
 * Takes no input but the site and reads everything afresh, so it may be run at any time, twice, or after a crash.
 */
import { LoginError } from "@portreeve/routeros";
import type { Logger } from "pino";
import type { Database } from "../database/index.ts";
import { deliver } from "./deliver.ts";
import { messageOf, NotConvergedError, outcomeOf } from "./errors.ts";
import { observe } from "./observe.ts";
import { plan } from "./plan.ts";
import type {
  Contributor,
  DesiredMenu,
  Observed,
  Plan,
  RouterAccess,
  RouterSession,
  SiteRecords,
  SiteSnapshot,
  Step,
} from "./types.ts";

export interface ReconcilerOptions {
  readonly database: Database;
  readonly access: RouterAccess;
  readonly sites: SiteRecords;
  // biome-ignore lint/suspicious/noExplicitAny: each module's facts are its own; it gets back what it loaded
  readonly contributors: readonly Contributor<any>[];
  readonly log: Logger;
}

interface Loaded {
  readonly site: SiteSnapshot;
  readonly facts: readonly unknown[];
}

export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Bring one router to its desired state and write down how that went. Only database errors are thrown. */
  async run(siteId: string, signal: AbortSignal): Promise<void> {
    const { sites, database, log } = this.#options;
    const site = await database.asSystem((trx) => sites.load(trx, siteId));
    if (!site) return;
    try {
      await this.#converge(siteId, signal);
    } catch (error) {
      if (signal.aborted) return; // shutting down says nothing about the router
      // Off-boarding ends with our own user. A router that refuses it has nothing of ours that we could still remove.
      if (site.offboarding && error instanceof LoginError) return this.#forget(site);
      const outcome = outcomeOf(error);
      // Routers that are away are an expected state, shown at the site; a line each period would bury the rest.
      const level = outcome.state === "pending" ? "debug" : "warn";
      log[level]({ siteId, state: outcome.state, reason: messageOf(error) }, "reconcile did not finish");
      await database.asSystem((trx) => sites.finish(trx, site, outcome));
    }
  }

  /** The plan as it stands now, without delivering it. @throws the errors of `RouterAccess.openForReading` */
  async preview(siteId: string, signal: AbortSignal): Promise<Plan> {
    await using session = await this.#options.access.openForReading(siteId, signal);
    const loaded = await this.#load(siteId);
    if (!loaded) return { steps: [] };
    const { steps } = await this.#look(loaded, session, signal);
    return { steps };
  }

  async #converge(siteId: string, signal: AbortSignal): Promise<void> {
    // Closed newest first: of a site's connections the youngest is kept for the next run.
    await using sessions = new AsyncDisposableStack();
    // Logging in may itself change the intent (adoption, rotation): load after it.
    let session = sessions.use(await this.#options.access.open(siteId, signal));
    const loaded = await this.#load(siteId);
    if (!loaded) return;
    let { observed, steps } = await this.#look(loaded, session, signal);
    const delivered: Step[] = [];
    while (steps.length > 0) {
      if (isRepeated(steps, delivered)) throw new NotConvergedError(steps);
      await this.#guard(siteId, steps);
      await deliver(steps, session.client, signal);
      delivered.push(...steps);
      if (loaded.site.offboarding) return this.#forget(loaded.site);
      // Verify: read everything back over a new connection, under the new rules. Only that proves the plan and the
      // way in, and what is left then was not possible before.
      session = sessions.use(await this.#options.access.openForReading(siteId, signal));
      ({ observed, steps } = await this.#look(loaded, session, signal));
    }
    await this.#record(loaded, observed, delivered);
  }

  async #look(
    loaded: Loaded,
    session: RouterSession,
    signal: AbortSignal,
  ): Promise<Plan & { observed: Observed }> {
    const desired = this.#desired(loaded, session);
    const observed = await observe(session.client, desired, session.version, signal);
    return { observed, ...plan(desired, observed, session.version) };
  }

  /** Before the way in moves, write down where to. */
  async #guard(siteId: string, steps: readonly Step[]): Promise<void> {
    const moved = steps.find((step) => step.touchesWayIn && step.values.port !== undefined);
    if (moved) await this.#options.sites.expectApiPort(siteId, Number(moved.values.port));
  }

  #load(siteId: string): Promise<Loaded | undefined> {
    const { database, sites, contributors } = this.#options;
    return database.asSystem(async (trx) => {
      const site = await sites.load(trx, siteId);
      if (!site) return undefined;
      const facts: unknown[] = [];
      for (const contributor of contributors) facts.push(await contributor.load(trx, siteId));
      return { site, facts };
    });
  }

  #desired({ site, facts }: Loaded, session: RouterSession): DesiredMenu[] {
    const router = {
      version: session.version,
      managementAddress: session.managementAddress,
      offboarding: site.offboarding,
    };
    return this.#options.contributors.flatMap((contributor, i) => contributor.desired(facts[i], router));
  }

  #record({ site, facts }: Loaded, observed: Observed, delivered: readonly Step[]): Promise<void> {
    const { database, sites, contributors } = this.#options;
    return database.asSystem(async (trx) => {
      for (const [i, contributor] of contributors.entries()) {
        await contributor.record?.(trx, site.id, facts[i], observed);
      }
      if (site.offboarding) await sites.forget(trx, site);
      else await sites.finish(trx, site, { state: "in_sync", delivered });
    });
  }

  #forget(site: SiteSnapshot): Promise<void> {
    return this.#options.database.asSystem((trx) => this.#options.sites.forget(trx, site));
  }
}

/** A step that was delivered and is wanted again: the router took it and did not do it. */
function isRepeated(steps: readonly Step[], delivered: readonly Step[]): boolean {
  return steps.some(({ text }) => delivered.some((earlier) => earlier.text === text));
}
