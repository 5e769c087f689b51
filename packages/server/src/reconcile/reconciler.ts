/**
 * One run for one site: load -> observe -> plan -> guard -> deliver -> verify -> record. How the management path is changed is
 * in management-path.ts.
 *
 * Takes no input but the site and reads everything afresh, so it may be run at any time, twice, or after a crash.
 */

import { LoginError, type MenuFacts, type RouterOsVersion } from "@portreeve/routeros";
import type { Logger } from "pino";
import type { Status } from "../background/index.ts";
import { type Database, LeaseLostError } from "../database/index.ts";
import { printable } from "../kernel/untrusted.ts";
import { deliver } from "./deliver.ts";
import { describeChange } from "./describe.ts";
import { messageOf, NotConvergedError, outcomeOf } from "./errors.ts";
import { ManagementPath, managementPathOf } from "./management-path.ts";
import { observe, wholeMenus } from "./observe.ts";
import { plan } from "./plan.ts";
import type {
  Advance,
  Contributor,
  DesiredMenu,
  Guard,
  Observed,
  Outcome,
  Plan,
  RouterAccess,
  RouterSession,
  Seen,
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
  readonly guard: Guard;
  readonly log: Logger;
}

export interface PreviewOptions {
  /** Facts to plan with instead of those that are stored, by contributor, given those that are stored. */
  // biome-ignore lint/suspicious/noExplicitAny: each module's facts are its own; it gets back what it loaded
  readonly facts?: Readonly<Record<string, (stored: any) => unknown>>;
  /** Menus to read beside those somebody wants rows in. */
  readonly menus?: readonly MenuFacts[];
}

export interface Preview {
  readonly desired: readonly DesiredMenu[];
  readonly observed: Observed;
  readonly version: RouterOsVersion;
  /** The address the router sees us come from. */
  readonly managementAddress: string;
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
  async run(siteId: string, signal: AbortSignal): Promise<Status> {
    const { sites, database, log } = this.#options;
    const site = await database.asSystem((trx) => sites.load(trx, siteId));
    if (!site) return { state: "ended" };
    try {
      await this.#converge(siteId, signal);
      return { state: "done" };
    } catch (error) {
      // Shutting down, or losing the site to another process, says nothing about the router.
      if (signal.aborted || error instanceof LeaseLostError)
        return { state: "failed", reason: messageOf(error) };
      // Off-boarding ends with our own user. A router that refuses it has nothing of ours that we could still remove.
      if (site.offboarding && error instanceof LoginError) {
        await this.#forget(site);
        return { state: "ended" };
      }
      const outcome = outcomeOf(error);
      // Routers that are away are an expected state, shown at the site; a line each period would bury the rest.
      const level = outcome.state === "pending" ? "debug" : "warn";
      const reason = messageOf(error);
      log[level]({ siteId, state: outcome.state, reason }, "reconcile did not finish");
      await database.asSystem((trx) => sites.finish(trx, site, outcome));
      return { state: "reached" in outcome && !outcome.reached ? "unanswered" : "failed", reason };
    }
  }

  /**
   * What a plan for this site is made from now, read from the live router; nothing is delivered.
   * @returns undefined when the site is gone
   * @throws the errors of `RouterAccess.openForReading`
   */
  async preview(
    siteId: string,
    { facts = {}, menus = [] }: PreviewOptions,
    signal: AbortSignal,
  ): Promise<Preview | undefined> {
    await using session = await this.#options.access.openForReading(siteId, signal);
    const loaded = await this.#load(siteId);
    if (!loaded) return undefined;
    const revised = this.#options.contributors.map(({ name }, i) => {
      const stored = loaded.facts[i];
      return facts[name] ? facts[name](stored) : stored;
    });
    const desired = this.#desired({ ...loaded, facts: revised }, session);
    const observed = await observe(
      session.client,
      [...desired, ...wholeMenus(menus)],
      session.version,
      signal,
    );
    return { desired, observed, version: session.version, managementAddress: session.managementAddress };
  }

  async #converge(siteId: string, signal: AbortSignal): Promise<void> {
    // Closed newest first: of a site's connections the youngest is kept for the next run.
    await using sessions = new AsyncDisposableStack();
    // Logging in may itself change the intent (adoption, rotation): load after it.
    const first = sessions.use(await this.#options.access.open(siteId, signal));
    let loaded = await this.#load(siteId);
    if (!loaded) return;
    const managementPath = new ManagementPath(this.#options, loaded.site, first, sessions, signal);
    await managementPath.confirm();
    const delivered: Step[] = [];
    for (;;) {
      const { observed, steps } = await this.#look(loaded, managementPath.session, signal);
      const reason =
        (await managementPath.reasonAgainst(managementPathOf(steps))) ??
        (await this.#guard(loaded.site, steps, managementPath.session, signal));
      const isDue = (step: Step) => !step.reportOnly && !(step.touchesManagementPath && reason !== undefined);
      const due = steps.filter(isDue);
      if (due.length === 0) {
        const next = reason === undefined ? await this.#advance(loaded, observed, signal) : "done";
        if (next === "changed") {
          loaded = await this.#load(siteId);
          if (!loaded) return;
          await managementPath.renew(); // the management path itself may have moved
          continue;
        }
        const withheld = steps.filter((step) => !isDue(step));
        const problem = next === "done" ? undefined : next.problem;
        const outcome = { ...verdict(withheld, reason, problem), delivered };
        return this.#record(loaded, { observed, withheld, problem }, outcome);
      }
      if (isRepeated(due, delivered)) throw new NotConvergedError(due);
      await this.#deliver(loaded.site, due, managementPath, signal);
      delivered.push(...due);
      if (loaded.site.offboarding) return this.#forget(loaded.site);
      // Verify: everything is read back over a new connection, under the new rules. Only that proves the plan and the
      // management path, and what is left then was not possible before.
    }
  }

  /** Let the modules take their next steps, the first that has one. */
  async #advance({ site, facts }: Loaded, observed: Observed, signal: AbortSignal): Promise<Advance> {
    if (site.offboarding) return "done";
    for (const [i, contributor] of this.#options.contributors.entries()) {
      const next = (await contributor.advance?.(site.id, facts[i], observed, signal)) ?? "done";
      if (next !== "done") return next;
    }
    return "done";
  }

  async #guard(
    site: SiteSnapshot,
    steps: readonly Step[],
    session: RouterSession,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (site.offboarding || managementPathOf(steps).length === 0) return undefined;
    const { menus, reasonAgainst } = this.#options.guard;
    const observed = await observe(session.client, wholeMenus(menus), session.version, signal);
    const reason = reasonAgainst(observed, steps, session);
    return reason && `the change of the management path was not made, because ${reason}`;
  }

  async #deliver(
    site: SiteSnapshot,
    steps: readonly Step[],
    managementPath: ManagementPath,
    signal: AbortSignal,
  ) {
    const { client } = managementPath.session;
    // Off-boarding takes our own login away: there is nothing that could prove it.
    if (site.offboarding) return deliver(steps, client, signal);
    const last = managementPathOf(steps);
    await deliver(
      steps.filter((step) => !last.includes(step)),
      client,
      signal,
    );
    return last.length > 0 ? managementPath.change(last) : managementPath.renew();
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

  #record({ site, facts }: Loaded, seen: Seen, outcome: Outcome): Promise<void> {
    const { database, sites, contributors } = this.#options;
    return database.asSystem(async (trx) => {
      for (const [i, contributor] of contributors.entries()) {
        await contributor.record?.(trx, site.id, facts[i], seen);
      }
      if (site.offboarding) await sites.forget(trx, site);
      else await sites.finish(trx, site, outcome);
    });
  }

  #forget(site: SiteSnapshot): Promise<void> {
    return this.#options.database.asSystem((trx) => this.#options.sites.forget(trx, site));
  }
}

/**
 * What a run comes to that delivered what it was to deliver.
 * @param reason why the management path was left as it is
 * @param problem why a module could not go on
 */
function verdict(
  withheld: readonly Step[],
  reason: string | undefined,
  problem: string | undefined,
): Outcome {
  if (problem !== undefined) return { state: "failed", reason: problem, reached: true };
  if (withheld.length === 0) return { state: "in_sync" };
  if (reason !== undefined) return { state: "needs_attention", reason, reached: true };
  const changes = withheld.map(describeChange).join("; ");
  return { state: "drifted", reason: printable(`changed on the router, to be undone by: ${changes}`, 1_000) };
}

/** A step that was delivered and is wanted again: the router took it and did not do it. */
function isRepeated(steps: readonly Step[], delivered: readonly Step[]): boolean {
  return steps.some(({ text }) => delivered.some((earlier) => earlier.text === text));
}
