/**
 * One run for one site: load -> observe -> plan -> guard -> deliver -> verify -> record. How the management path is changed is
 * in management-path.ts.
 *
 * Takes no input but the site and reads everything afresh, so it may be run at any time, twice, or after a crash. Where
 * the router answers later the run ends, and another one continues from the database (link-calls.ts).
 */

import { LoginError, type MenuFacts, type RouterOsVersion } from "@portreeve/routeros";
import type { Logger } from "pino";
import type { Database } from "../database/index.ts";
import { printable } from "../kernel/untrusted.ts";
import { describeChange } from "./describe.ts";
import { messageOf, NotConvergedError, outcomeOf, WaitingError } from "./errors.ts";
import type { Handover, Handovers } from "./handovers.ts";
import type {
  LinkCall,
  RouterLink,
  RouterLinks,
  RouterNow,
  RunLease,
  SiteWorkflows,
  Waiting,
} from "./link.ts";
import { LinkCalls } from "./link-calls.ts";
import { ManagementPath, managementPathOf } from "./management-path.ts";
import { plan } from "./plan.ts";
import { readsOf, wholeMenus } from "./reads.ts";
import type {
  Advance,
  Contributor,
  DesiredMenu,
  Guard,
  Intent,
  Observed,
  Outcome,
  Plan,
  Seen,
  SiteRecords,
  SiteSnapshot,
  Step,
} from "./types.ts";

export interface ReconcilerOptions {
  readonly database: Database;
  readonly links: RouterLinks;
  readonly workflows: SiteWorkflows;
  readonly sites: SiteRecords;
  readonly handovers: Handovers;
  readonly contributors: readonly Contributor[];
  readonly guard: Guard;
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

interface Loaded {
  readonly site: SiteSnapshot;
  readonly intents: readonly Intent[];
  readonly handovers: readonly Handover[];
}

/** Transitions of workflows in one run: more than any has, so that one that goes in a circle ends the run. */
const MAX_TRANSITIONS = 20;

/** How a run ended: the site's state is in the database, and what it waits for, if it does, is here too. */
export type RunResult = Waiting | { readonly state: "ended" };
const ENDED = { state: "ended" } as const;

export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /**
   * Bring one router to its desired state and write down how that went. Only database errors are thrown.
   * @param lease asked before each command that changes the router
   */
  async run(siteId: string, signal: AbortSignal, lease?: RunLease): Promise<RunResult> {
    const { sites, database, log } = this.#options;
    const site = await database.asSystem((trx) => sites.load(trx, siteId));
    if (!site) return ENDED;
    try {
      await this.#converge(siteId, { signal, lease });
      return ENDED;
    } catch (error) {
      if (signal.aborted) return ENDED; // shutting down says nothing about the router
      // Off-boarding ends with our own user. A router that refuses it has nothing of ours that we could still remove.
      if (site.offboarding && error instanceof LoginError) {
        await this.#forget(site);
        return ENDED;
      }
      const outcome = outcomeOf(error);
      // Routers that are away are an expected state, shown at the site; a line each period would bury the rest.
      const level = outcome.state === "pending" ? "debug" : "warn";
      log[level]({ siteId, state: outcome.state, reason: messageOf(error) }, "reconcile did not finish");
      await database.asSystem((trx) => sites.finish(trx, site, outcome));
      return error instanceof WaitingError ? error.waiting : ENDED;
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
    const loaded = await this.#load(siteId, contributors);
    if (!loaded) return undefined;
    const { version, managementAddress } = link.router;
    const desired = (observed: Observed) => wantedOf(loaded, link.router, observed);
    const reads = readsOf([...desired(NOTHING), ...wholeMenus(menus)], version);
    const answer = await link.observe(reads, { signal });
    if (answer.state === "waiting") throw new WaitingError(answer);
    return { desired, observed: answer.result, version, managementAddress };
  }

  async #converge(siteId: string, call: RunCall): Promise<void> {
    await this.#advanceWorkflows(siteId, call);
    await using links = new CurrentLink(await this.#options.links.open(siteId, call.signal));
    // Workflows may themselves change the intent (adoption): load after them.
    let loaded = await this.#load(siteId);
    if (!loaded) return;
    const { handovers } = this.#options;
    const calls = new LinkCalls(links.link, loaded.site, handovers, loaded.handovers, call);
    const managementPath = new ManagementPath(this.#options.sites, loaded.site, calls);
    const delivered: Step[] = calls.deliveredBefore;
    const { inFlight } = calls;
    if (inFlight)
      delivered.push(...(await this.#deliver(loaded.site, inFlight.steps, calls, managementPath)));
    else await managementPath.confirm();
    for (;;) {
      const { observed, steps } = await this.#look(loaded, calls);
      const reason =
        (await managementPath.reasonAgainst(managementPathOf(steps))) ??
        (await this.#guard(loaded.site, steps, calls));
      const isDue = (step: Step) => !step.reportOnly && !(step.touchesManagementPath && reason !== undefined);
      const due = steps.filter(isDue);
      if (due.length === 0) {
        const next = reason === undefined ? await this.#advance(loaded, observed) : "done";
        if (next === "changed") {
          if (await this.#advanceWorkflows(siteId, call)) {
            calls.link = await links.replace(() => this.#options.links.open(siteId, call.signal));
          }
          loaded = await this.#load(siteId);
          if (!loaded) return;
          continue;
        }
        const withheld = steps.filter((step) => !isDue(step));
        const problem = next === "done" ? undefined : next.problem;
        const outcome = { ...verdict(withheld, reason, problem), delivered };
        await calls.end();
        return this.#record(loaded, { observed, withheld, problem }, outcome);
      }
      if (isRepeated(due, delivered)) {
        await calls.end();
        throw new NotConvergedError(due);
      }
      delivered.push(...(await this.#deliver(loaded.site, due, calls, managementPath)));
      if (loaded.site.offboarding) return this.#forget(loaded.site);
      // Verify: everything is read back under the new rules. Only that proves the plan and the management path, and
      // what is left then was not possible before.
    }
  }

  /** @returns whether there was anything to go on with */
  async #advanceWorkflows(siteId: string, call: RunCall): Promise<boolean> {
    let transitions = 0;
    while (await this.#options.workflows.advance(siteId, call)) {
      transitions += 1;
      if (transitions === MAX_TRANSITIONS)
        throw new Error(`no end after ${transitions} transitions of a workflow`);
    }
    return transitions > 0;
  }

  /** Let the modules take their next steps, the first that has one. */
  async #advance({ site, intents }: Loaded, observed: Observed): Promise<Advance> {
    if (site.offboarding) return "done";
    for (const intent of intents) {
      const next = (await intent.advance?.(observed)) ?? "done";
      if (next !== "done") return next;
    }
    return "done";
  }

  async #guard(site: SiteSnapshot, steps: readonly Step[], calls: LinkCalls): Promise<string | undefined> {
    if (site.offboarding || managementPathOf(steps).length === 0) return undefined;
    const { menus, reasonAgainst } = this.#options.guard;
    const { router } = calls.link;
    const observed = await calls.observe(readsOf(wholeMenus(menus), router.version));
    const reason = reasonAgainst(observed, steps, router);
    return reason && `the change of the management path was not made, because ${reason}`;
  }

  /** Deliver what can go now: the management path last, and by itself. @returns what was carried out */
  async #deliver(
    site: SiteSnapshot,
    steps: readonly Step[],
    calls: LinkCalls,
    managementPath: ManagementPath,
  ): Promise<readonly Step[]> {
    // Off-boarding takes our own login away: there is nothing that could prove it.
    if (site.offboarding) {
      await calls.deliver({ steps, rollback: false });
      return steps;
    }
    const last = managementPathOf(steps);
    const first = steps.filter((step) => !last.includes(step));
    if (first.length > 0) await calls.deliver({ steps: first, rollback: false });
    if (last.length > 0) await managementPath.change(last);
    else await calls.confirm({ rollback: false });
    return steps;
  }

  async #look(loaded: Loaded, calls: LinkCalls): Promise<Plan & { observed: Observed }> {
    const { router } = calls.link;
    const observed = await calls.observe(readsOf(wantedOf(loaded, router, NOTHING), router.version));
    return { observed, ...plan(wantedOf(loaded, router, observed), observed, router.version) };
  }

  #load(siteId: string, contributors = this.#options.contributors): Promise<Loaded | undefined> {
    const { database, sites, handovers } = this.#options;
    return database.asSystem(async (trx) => {
      const site = await sites.load(trx, siteId);
      if (!site) return undefined;
      const intents: Intent[] = [];
      for (const contributor of contributors) intents.push(await contributor.load(trx, siteId));
      return { site, intents, handovers: await handovers.load(trx, siteId) };
    });
  }

  #record({ site, intents }: Loaded, seen: Seen, outcome: Outcome): Promise<void> {
    const { database, sites } = this.#options;
    return database.asSystem(async (trx) => {
      for (const intent of intents) await intent.record?.(trx, seen);
      if (site.offboarding) await sites.forget(trx, site);
      else await sites.finish(trx, site, outcome);
    });
  }

  #forget(site: SiteSnapshot): Promise<void> {
    return this.#options.database.asSystem((trx) => this.#options.sites.forget(trx, site));
  }
}

type RunCall = Pick<LinkCall, "signal" | "lease">;

const NOTHING: Observed = new Map();

function wantedOf({ site, intents }: Loaded, router: RouterNow, observed: Observed): DesiredMenu[] {
  const { version, managementAddress } = router;
  const facts = { version, managementAddress, offboarding: site.offboarding, observed };
  return intents.flatMap((intent) => intent.desired(facts));
}

/** The link of a run, closed with it; another one in its place closes it first, so that what it keeps can be reused. */
class CurrentLink implements AsyncDisposable {
  link: RouterLink;
  constructor(link: RouterLink) {
    this.link = link;
  }

  async replace(open: () => Promise<RouterLink>): Promise<RouterLink> {
    await this.link[Symbol.asyncDispose]();
    this.link = await open();
    return this.link;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.link[Symbol.asyncDispose]();
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
