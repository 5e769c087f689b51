/**
 * Changing the management path: the service, port, user and filter rules Portreeve itself comes through.
 *
 *   arm the rollback timer -> write it down -> change -> log in anew under the new rules -> disarm -> write that down
 *
 * Whatever ends between two of these steps (the link, the router, Portreeve), either the new login is seen, or the
 * router undoes the change by itself. A change that was undone is not tried again by itself.
 */
import { createHash } from "node:crypto";
import { TrapError } from "@portreeve/routeros";
import { deliverAtOnce } from "./deliver.ts";
import { messageOf, NeedsAttentionError, StepError } from "./errors.ts";
import { armRollbackTimer, disarmRollbackTimer, findRollbackTimer } from "./rollback-timer.ts";
import { takeSafeMode } from "./safe-mode.ts";
import type { RouterAccess, RouterSession, SiteRecords, SiteSnapshot, Step } from "./types.ts";

/** How long the new login may take, milliseconds: well within the rollback timer's time. */
const PROOF_TIMEOUT_MS = 45_000;

const UNDONE =
  "no new login succeeded under the new rules, and the router undid the change of the management path by itself; " +
  "change the policy, or reconcile the site to try again";

export interface ManagementPathOptions {
  readonly access: RouterAccess;
  readonly sites: SiteRecords;
}

/** The management path during one run for one site. */
export class ManagementPath {
  /** The newest session: opened under the rules that hold now. */
  session: RouterSession;
  readonly #options: ManagementPathOptions;
  readonly #site: SiteSnapshot;
  readonly #sessions: AsyncDisposableStack;
  readonly #signal: AbortSignal;
  #problem: SiteSnapshot["managementPathProblem"];
  /** The rollback timer of the change that was begun is gone. */
  #rolledBack = false;
  /** The router is still to undo a change that was given up. */
  #undoing = false;

  /** @param sessions closes every session that is opened here */
  constructor(
    options: ManagementPathOptions,
    site: SiteSnapshot,
    first: RouterSession,
    sessions: AsyncDisposableStack,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#site = site;
    this.session = first;
    this.#sessions = sessions;
    this.#signal = signal;
    this.#problem = site.managementPathProblem;
  }

  /**
   * Find out what became of a change that was begun and whose end was not seen. Where the rollback timer is still there, a
   * new login proves the change, whatever it became, and the rollback timer is taken away.
   */
  async confirm(): Promise<void> {
    const { sites } = this.#options;
    if (this.#site.managementPathArmed === undefined) return;
    if (this.#problem) {
      this.#undoing = (await findRollbackTimer(this.session.client, this.#signal)).length > 0;
      if (!this.#undoing) await sites.confirmManagementPath(this.#site.id);
      return;
    }
    await this.renew();
    this.#rolledBack = !(await disarmRollbackTimer(this.session.client, this.#signal));
    if (!this.#rolledBack) await sites.confirmManagementPath(this.#site.id);
  }

  /** Open a new session: only that shows that the management path works. */
  async renew(signal = this.#signal): Promise<void> {
    this.session = this.#sessions.use(await this.#options.access.openForReading(this.#site.id, signal));
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
    await this.#options.sites.confirmManagementPath(this.#site.id);
  }

  /**
   * Deliver steps that touch the management path; the session is then one opened under the new rules.
   * @throws NeedsAttentionError the router takes no rollback timer (nothing was changed), or has rolled it back
   * @throws StepError, ConnectError, LoginError the change did not prove itself: it is undone, or will be
   */
  async change(steps: readonly Step[]): Promise<void> {
    const { sites } = this.#options;
    const change = changeOf(steps);
    const moved = steps.find((step) => step.values.port !== undefined);
    if (moved) await sites.expectApiPort(this.#site.id, Number(moved.values.port));
    await this.#arm(steps);
    await sites.armManagementPath(this.#site.id, change);
    const safeMode = await takeSafeMode(this.session.client, this.session.version);
    try {
      await deliverAtOnce(steps, this.session.client, this.#signal);
      await this.renew(AbortSignal.any([this.#signal, AbortSignal.timeout(PROOF_TIMEOUT_MS)]));
    } catch (error) {
      await safeMode?.unroll();
      const isUndone = (safeMode !== undefined || error instanceof StepError) && !this.#signal.aborted;
      if (isUndone)
        await this.#abandon(change, `${messageOf(error)}; the change of the management path is undone`);
      throw error;
    }
    await safeMode?.release();
    const stands = await disarmRollbackTimer(this.session.client, this.#signal);
    if (!stands) await this.#abandon(change, UNDONE);
    await sites.confirmManagementPath(this.#site.id);
    if (!stands) throw new NeedsAttentionError(UNDONE);
  }

  async #arm(steps: readonly Step[]): Promise<void> {
    const { client } = this.session;
    await disarmRollbackTimer(client, this.#signal); // one of an earlier change would undo this one
    try {
      await armRollbackTimer(client, steps, this.#signal);
    } catch (error) {
      if (!(error instanceof TrapError)) throw error;
      throw new NeedsAttentionError(
        `the router takes no scheduler entry (${error.message}), so a change of the management path could not be undone; ` +
          "nothing of the management path is changed",
        { cause: error },
      );
    }
  }

  async #abandon(change: string, reason: string): Promise<void> {
    this.#problem = { change, reason };
    await this.#options.sites.abandonManagementPath(this.#site, change, reason);
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
