/**
 * Changing the management path: the service, port, user and filter rules Portreeve itself comes through.
 *
 *   arm the rollback timer -> write it down -> change -> log in anew under the new rules -> disarm -> write that down
 *
 * Whatever ends between two of these steps (the link, the router, Portreeve), either the new login is seen, or the
 * router undoes the change by itself. A change that was undone is not tried again by itself.
 */
import { createHash } from "node:crypto";
import { ChangeUndoneError, NeedsAttentionError } from "./errors.ts";
import type { Confirmed } from "./link.ts";
import type { LinkCalls } from "./link-calls.ts";
import { rollbackTimerRead } from "./rollback-timer.ts";
import type { SiteRecords, SiteSnapshot, Step } from "./types.ts";

const UNDONE =
  "no new login succeeded under the new rules, and the router undid the change of the management path by itself; " +
  "change the policy, or reconcile the site to try again";

/** The management path during one run for one site. */
export class ManagementPath {
  readonly #sites: SiteRecords;
  readonly #site: SiteSnapshot;
  readonly #calls: LinkCalls;
  #problem: SiteSnapshot["managementPathProblem"];
  /** The rollback timer of the change that was begun is gone. */
  #rolledBack = false;
  /** The router is still to undo a change that was given up. */
  #undoing = false;

  constructor(sites: SiteRecords, site: SiteSnapshot, calls: LinkCalls) {
    this.#sites = sites;
    this.#site = site;
    this.#calls = calls;
    this.#problem = site.managementPathProblem;
  }

  /**
   * Find out what became of a change that was begun and whose end was not seen. Where the rollback timer is still there,
   * being reached proves the change, whatever it became, and the rollback timer is taken away.
   */
  async confirm(): Promise<void> {
    if (this.#site.managementPathArmed === undefined) return;
    if (this.#problem) {
      const observed = await this.#calls.observe([rollbackTimerRead]);
      this.#undoing = (observed.get(rollbackTimerRead.menu) ?? []).length > 0;
      if (!this.#undoing) await this.#sites.confirmManagementPath(this.#site.id);
      return;
    }
    const { stands } = await this.#calls.confirm({ rollback: true });
    this.#rolledBack = !stands;
    if (stands) await this.#sites.confirmManagementPath(this.#site.id);
  }

  /** Why these steps are not to be delivered now: they were, and the router undid them. */
  async reasonAgainst(steps: readonly Step[]): Promise<string | undefined> {
    const change = changeOf(steps);
    if (this.#rolledBack) await this.#evaluate(change);
    if (this.#undoing || this.#problem?.change === change) return this.#problem?.reason;
    return undefined;
  }

  /** The rollback timer has run: if the same change is wanted still, that undid it, and it is not tried again. */
  async #evaluate(change: string): Promise<void> {
    this.#rolledBack = false;
    if (change === this.#site.managementPathArmed) await this.#abandon(change, UNDONE);
    await this.#sites.confirmManagementPath(this.#site.id);
  }

  /**
   * Deliver steps that touch the management path and prove them.
   * @throws NeedsAttentionError the router takes no rollback timer (nothing was changed), or has rolled it back
   * @throws StepError, ConnectError, LoginError the change did not prove itself: it is undone, or will be
   */
  async change(steps: readonly Step[]): Promise<void> {
    const change = changeOf(steps);
    const moved = steps.find((step) => step.values.port !== undefined);
    if (moved) await this.#sites.expectApiPort(this.#site.id, Number(moved.values.port));
    const { stands } = await this.#deliver(steps, change);
    if (!stands) await this.#abandon(change, UNDONE);
    await this.#sites.confirmManagementPath(this.#site.id);
    if (!stands) throw new NeedsAttentionError(UNDONE);
  }

  async #deliver(steps: readonly Step[], change: string): Promise<Confirmed> {
    const armed = () => this.#sites.armManagementPath(this.#site.id, change);
    try {
      await this.#calls.deliver({ steps, rollback: true }, armed);
      return await this.#calls.confirm({ rollback: true });
    } catch (error) {
      if (!(error instanceof ChangeUndoneError)) throw error;
      await this.#abandon(change, `${error.message}; the change of the management path is undone`);
      throw error.cause;
    }
  }

  async #abandon(change: string, reason: string): Promise<void> {
    this.#problem = { change, reason };
    await this.#sites.abandonManagementPath(this.#site, change, reason);
  }
}

/** The steps of a plan that touch the management path and are to be delivered. */
export function managementPathOf(steps: readonly Step[]): Step[] {
  return steps.filter(({ touchesManagementPath, reportOnly }) => touchesManagementPath && !reportOnly);
}

/** A change by what it does: the same steps wanted again are the same change. */
function changeOf(steps: readonly Step[]): string {
  const texts = steps.map(({ text }) => text);
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}
