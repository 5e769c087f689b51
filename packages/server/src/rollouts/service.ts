/**
 * The verbs of rollouts. Each runs in the caller's transaction and leaves nothing to memory: the next transaction, after
 * a crash or in another process, reads the same rows and decides the same.
 */
import type { RolloutState } from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import type { Trx } from "../database/index.ts";
import { type Actor, actorOf, type Caller } from "../kernel/actor.ts";
import type { CustomerId, PolicyId, RolloutId } from "../kernel/ids.ts";
import { decide } from "./decide.ts";
import { RolloutNotFoundError, RolloutStateError } from "./errors.ts";
import { Revisions, type RevisionsOptions } from "./revisions.ts";
import {
  enrolSites,
  excuseFailures,
  findRollout,
  insertRollout,
  isAnyBehind,
  lockRollouts,
  lockSitesOfPolicy,
  lookAtSites,
  type PolicyRef,
  type RolloutRow,
  releaseDeleted,
  releaseUnfinished,
  setState,
  underWayOf,
} from "./store.ts";

const SYSTEM: Actor = { kind: "system", part: "rollouts" };

export class RolloutService {
  readonly #revisions: Revisions;

  constructor(options: RevisionsOptions) {
    this.#revisions = new Revisions(options);
  }

  /** To be called first by code that changes a policy or which sites are under it. */
  lock(trx: Trx, customerId: CustomerId): Promise<void> {
    return lockRollouts(trx, customerId);
  }

  /**
   * The policy has another revision or other sites: bring those that are behind under its revision, wave by wave. A
   * rollout of an older revision is superseded; sites that come to one of the same revision take part in it.
   */
  async follow(trx: Trx, by: Actor, policy: PolicyRef): Promise<void> {
    await lockSitesOfPolicy(trx, policy.id);
    await this.#revisions.detachFromOthers(trx, policy.id);
    await this.#revisions.assignNow(trx, policy);
    const before = await underWayOf(trx, policy.id);
    const isSame = before?.revision_id === policy.revision_id;
    if (before && !isSame) await this.#supersede(trx, by, before);
    if (!(await isAnyBehind(trx, policy))) return;
    const rollout = before && isSame ? before : await insertRollout(trx, policy);
    const sites = await enrolSites(trx, rollout, policy);
    if (sites > 0) await audit(trx, by, rollout, rollout === before ? "joined" : "started", { sites });
    await this.advance(trx, rollout);
  }

  /** The policy is about to be deleted. */
  async abandon(trx: Trx, by: Actor, policyId: PolicyId): Promise<void> {
    await lockSitesOfPolicy(trx, policyId);
    const rollout = await underWayOf(trx, policyId);
    if (rollout) await this.#supersede(trx, by, rollout);
  }

  /** No further site gets the revision until somebody resumes. */
  async pause(trx: Trx, caller: Caller, id: RolloutId): Promise<void> {
    const rollout = await this.#locked(trx, caller, id, ["running"]);
    await this.#hold(trx, rollout, "paused");
    await audit(trx, actorOf(caller), rollout, "paused");
  }

  /** Continue despite the failures so far. */
  async resume(trx: Trx, caller: Caller, id: RolloutId): Promise<void> {
    const rollout = await this.#locked(trx, caller, id, ["paused", "stopped"]);
    await excuseFailures(trx, id);
    await audit(trx, actorOf(caller), rollout, "resumed");
    await this.advance(trx, await setState(trx, rollout, "running"));
  }

  /** Take the change back from every site that has it, at once, and from the policy. */
  async rollBack(trx: Trx, caller: Caller, id: RolloutId): Promise<void> {
    const rollout = await this.#locked(trx, caller, id, ["running", "paused", "stopped"]);
    await audit(trx, actorOf(caller), rollout, "rolling_back");
    await this.#revisions.revert(trx, rollout);
    await this.advance(trx, await setState(trx, rollout, "rolling_back"));
  }

  /** Look how far its sites are and do what follows from that. To be called with the lock held. */
  async advance(trx: Trx, rollout: RolloutRow): Promise<void> {
    await releaseDeleted(trx, rollout.id);
    for (;;) {
      const decision = decide(rollout.state, await lookAtSites(trx, rollout.id));
      switch (decision.action) {
        case "wait":
          return;
        case "start": {
          const { wave, siteIds } = decision;
          await this.#revisions.give(trx, rollout, wave, siteIds);
          await audit(trx, SYSTEM, rollout, "wave_started", { wave, sites: siteIds.length });
          break;
        }
        case "give back":
          await this.#revisions.giveBack(trx, decision.siteIds);
          break;
        case "stop":
          await this.#hold(trx, rollout, "stopped", decision.reason);
          return audit(trx, SYSTEM, rollout, "stopped", { reason: decision.reason });
        case "end":
          await setState(trx, rollout, decision.state);
          return audit(trx, SYSTEM, rollout, decision.state);
      }
    }
  }

  async #locked(
    trx: Trx,
    caller: Caller,
    id: RolloutId,
    wanted: readonly RolloutState[],
  ): Promise<RolloutRow> {
    await lockRollouts(trx, caller.customerId);
    const rollout = await findRollout(trx, id);
    if (!rollout) throw new RolloutNotFoundError();
    if (!wanted.includes(rollout.state)) throw new RolloutStateError(rollout.state, wanted);
    return rollout;
  }

  async #hold(trx: Trx, rollout: RolloutRow, state: "paused" | "stopped", reason?: string): Promise<void> {
    await this.#revisions.hold(trx, rollout);
    await setState(trx, rollout, state, reason);
  }

  async #supersede(trx: Trx, by: Actor, rollout: RolloutRow): Promise<void> {
    await lookAtSites(trx, rollout.id);
    await this.#revisions.hold(trx, rollout);
    await releaseUnfinished(trx, rollout.id);
    await setState(trx, rollout, "superseded");
    await audit(trx, by, rollout, "superseded");
  }
}

function audit(trx: Trx, by: Actor, rollout: RolloutRow, what: string, detail: Record<string, unknown> = {}) {
  return record(trx, by, {
    customerId: rollout.customer_id,
    action: `rollout.${what}`,
    subjectType: "rollout",
    subjectId: rollout.id,
    detail: { policy_id: rollout.policy_id, ...detail },
  });
}
