/** One run for one site, from its workflows to what is written down in the end. */
import { printable } from "../kernel/untrusted.ts";
import { describeChange } from "./describe.ts";
import { NotConvergedError } from "./errors.ts";
import type { RouterLink, RouterLinks, SiteWorkflows } from "./link.ts";
import { LinkCalls } from "./link-calls.ts";
import { type Loaded, load, NOTHING, type Sources, wantedOf } from "./loaded.ts";
import { ManagementPath, managementPathOf } from "./management-path.ts";
import { plan } from "./plan.ts";
import { readsOf, wholeMenus } from "./reads.ts";
import type { Advance, Guard, Observed, Outcome, Plan, Seen, SiteSnapshot, Step } from "./types.ts";

export interface SiteRunOptions extends Sources {
  readonly links: RouterLinks;
  readonly workflows: SiteWorkflows;
  readonly guard: Guard;
}

/** Transitions of workflows in one run: more than any has, so that one that goes in a circle ends the run. */
const MAX_TRANSITIONS = 20;

export class SiteRun {
  readonly #options: SiteRunOptions;
  readonly #siteId: string;
  readonly #signal: AbortSignal;

  constructor(options: SiteRunOptions, siteId: string, signal: AbortSignal) {
    this.#options = options;
    this.#siteId = siteId;
    this.#signal = signal;
  }

  /**
   * @throws WaitingError the router answers later, and whatever else kept the run from its end
   */
  async converge(): Promise<void> {
    const siteId = this.#siteId;
    await this.#advanceWorkflows();
    await using links = new CurrentLink(await this.#options.links.open(siteId, this.#signal));
    // Workflows may themselves change the intent (adoption): load after them.
    let loaded = await load(this.#options, siteId);
    if (!loaded) return;
    const { handovers } = this.#options;
    const calls = new LinkCalls(links.link, loaded.site, handovers, loaded.handovers, this.#signal);
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
          if (await this.#advanceWorkflows()) {
            calls.link = await links.replace(() => this.#options.links.open(siteId, this.#signal));
          }
          loaded = await load(this.#options, siteId);
          if (!loaded) return;
          continue;
        }
        const withheld = steps.filter((step) => !isDue(step));
        const problem = next === "done" ? undefined : next.problem;
        const outcome = { ...verdict(withheld, reason, problem), delivered };
        await calls.end();
        await this.#record(loaded, { observed, withheld, problem }, outcome);
        if (isSettled(outcome)) calls.link.rest?.(observed);
        return;
      }
      if (isRepeated(due, delivered)) {
        await calls.end();
        throw new NotConvergedError(due);
      }
      delivered.push(...(await this.#deliver(loaded.site, due, calls, managementPath)));
      if (loaded.site.offboarding) return forget(this.#options, loaded.site);
      // Verify: everything is read back under the new rules. Only that proves the plan and the management path, and
      // what is left then was not possible before.
    }
  }

  /** @returns whether there was anything to go on with */
  async #advanceWorkflows(): Promise<boolean> {
    let transitions = 0;
    while (await this.#options.workflows.advance(this.#siteId, this.#signal)) {
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
    const reads = readsOf(wantedOf(loaded, router, NOTHING), router.version);
    calls.link.listen?.(reads);
    const observed = await calls.observe(reads);
    return { observed, ...plan(wantedOf(loaded, router, observed), observed, router.version) };
  }

  async #record({ site, intents }: Loaded, seen: Seen, outcome: Outcome): Promise<void> {
    const { database, sites } = this.#options;
    await database.asSystem(async (trx) => {
      for (const intent of intents) await intent.record?.(trx, seen);
      if (site.offboarding) await sites.forget(trx, site);
      else await sites.finish(trx, site, outcome);
    });
    if (!site.offboarding) sites.checked(site);
  }
}

/** Everything of ours is off the router, or it refuses us: the site ends. */
export function forget({ database, sites }: Sources, site: SiteSnapshot): Promise<void> {
  return database.asSystem((trx) => sites.forget(trx, site));
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

/** There is nothing to try again: only a change, here or on the router, makes a difference. */
function isSettled({ state }: Outcome): boolean {
  return state === "in_sync" || state === "drifted";
}

/** A step that was delivered and is wanted again: the router took it and did not do it. */
function isRepeated(steps: readonly Step[], delivered: readonly Step[]): boolean {
  return steps.some(({ text }) => delivered.some((earlier) => earlier.text === text));
}
