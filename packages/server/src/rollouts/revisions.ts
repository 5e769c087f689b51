/** Which revision sites are to have: given with their wave, taken back, or taken at once. Every change wakes the site. */
import { sql } from "kysely";
import type { Trx } from "../database/index.ts";
import type { PolicyId, RevisionId, SiteId } from "../kernel/ids.ts";
import { lockIdentities, type SiteService } from "../sites/index.ts";
import {
  anyOf,
  assignToUnmanaged,
  giveRevision,
  replaceRevision,
  revertPolicies,
  revertRevisions,
  takeBackRevision,
} from "./assignments.ts";
import { rolloutSites } from "./progress.ts";
import { lockSitesOfPolicy, NOT_STARTED, type PolicyRef, type RolloutRow } from "./store.ts";

export interface RevisionsOptions {
  readonly sites: SiteService;
  /** Make a revision the current one of its policy; of policies, which import this module. */
  readonly setCurrentRevision: (trx: Trx, policyId: PolicyId, revisionId: RevisionId) => Promise<void>;
}

export class Revisions {
  readonly #sites: SiteService;
  readonly #setCurrentRevision: RevisionsOptions["setCurrentRevision"];

  constructor({ sites, setCurrentRevision }: RevisionsOptions) {
    this.#sites = sites;
    this.#setCurrentRevision = setCurrentRevision;
  }

  /** The wave of these sites has come. */
  async give(trx: Trx, rollout: RolloutRow, wave: number, siteIds: readonly SiteId[]): Promise<void> {
    await lockIdentities(trx, siteIds);
    await giveRevision(trx, siteIds, rollout.revision_id);
    await this.#touch(trx, rollout, siteIds, { state: "delivering", wave });
  }

  /** Sites that have not been reached go back to where they were, as if their wave had not come. */
  async giveBack(trx: Trx, siteIds: readonly SiteId[]): Promise<void> {
    if (siteIds.length === 0) return;
    await lockIdentities(trx, siteIds);
    await takeBackRevision(trx, siteIds);
    await this.#sites.bumpGeneration(trx, siteIds);
    await trx
      .updateTable("rollout_sites")
      .from("rollouts")
      .set(NOT_STARTED)
      .whereRef("rollouts.id", "=", "rollout_sites.rollout_id")
      .where("rollout_sites.state", "=", "delivering")
      .where("rollouts.ended_at", "is", null)
      .where("rollout_sites.site_id", "=", anyOf(siteIds))
      .execute();
  }

  /** Nobody is to get the revision any more, for now: sites that do not have it yet wait again. */
  async hold(trx: Trx, rollout: RolloutRow): Promise<void> {
    await this.giveBack(trx, idsOf(await unreached(trx).where("rollouts.id", "=", rollout.id).execute()));
  }

  /** Sites that are under this policy now leave the rollouts of those they were under. */
  async detachFromOthers(trx: Trx, policyId: PolicyId): Promise<void> {
    const elsewhere = unreached(trx)
      .innerJoin("site_policies", "site_policies.site_id", "rollout_sites.site_id")
      .where("site_policies.policy_id", "=", policyId)
      .where("rollouts.policy_id", "!=", policyId);
    await this.giveBack(trx, idsOf(await elsewhere.execute()));
    await trx
      .updateTable("rollout_sites")
      .from("site_policies")
      .innerJoin("rollouts", (join) => join.on("rollouts.ended_at", "is", null))
      .set({ state: "left" })
      .whereRef("site_policies.site_id", "=", "rollout_sites.site_id")
      .whereRef("rollouts.id", "=", "rollout_sites.rollout_id")
      .where("site_policies.policy_id", "=", policyId)
      .where("rollouts.policy_id", "!=", policyId)
      .execute();
  }

  /**
   * Every site goes back to what it last proved to work with, and to the policy that this belongs to, if there is one
   * still. The policy goes back to what most of its sites go back to.
   */
  async revert(trx: Trx, rollout: RolloutRow): Promise<void> {
    await lockIdentities(trx, await sitesOf(trx, rollout));
    await revertPolicies(trx, rollout.id);
    await this.#touch(trx, rollout, await revertRevisions(trx, rollout.id), { state: "reverting" });
    const base = await baseOf(trx, rollout);
    if (base === undefined || rollout.policy_id === null) return;
    await this.#setCurrentRevision(trx, rollout.policy_id, base);
    // Those that took the revision when they were added, and are in no rollout.
    await lockSitesOfPolicy(trx, rollout.policy_id);
    await this.#sites.bumpGeneration(trx, await replaceRevision(trx, rollout, base));
  }

  /** Sites that are no rollout's have the policy's revision at once: there is nothing yet that it would change. */
  async assignNow(trx: Trx, policy: PolicyRef): Promise<void> {
    await this.#sites.bumpGeneration(trx, await assignToUnmanaged(trx, policy));
  }

  async #touch(
    trx: Trx,
    rollout: RolloutRow,
    siteIds: readonly SiteId[],
    change: { state: "delivering"; wave: number } | { state: "reverting" },
  ): Promise<void> {
    await this.#sites.bumpGeneration(trx, siteIds);
    await trx
      .updateTable("rollout_sites")
      .from("site_sync")
      .set((eb) => ({
        ...change,
        generation: eb.ref("site_sync.generation"),
        started_at: sql<Date>`now()`,
        reason: null,
      }))
      .whereRef("site_sync.site_id", "=", "rollout_sites.site_id")
      .where("rollout_sites.rollout_id", "=", rollout.id)
      .where("rollout_sites.site_id", "=", anyOf(siteIds))
      .execute();
  }
}

/** Sites that were given a revision and that nobody has logged in to since; which rollouts' is for the caller to add. */
function unreached(trx: Trx) {
  return rolloutSites(trx)
    .select("site.id")
    .where("rollouts.ended_at", "is", null)
    .where("rollout_sites.state", "=", "delivering")
    .where((eb) =>
      eb.or([
        eb("site.last_seen_at", "is", null),
        eb("site.last_seen_at", "<=", eb.ref("rollout_sites.started_at")),
      ]),
    );
}

/** Of the policy's revisions the one that most of the rollout's sites come from; undefined when all are new to it. */
async function baseOf(trx: Trx, rollout: RolloutRow): Promise<string | undefined> {
  const row = await trx
    .selectFrom("rollout_sites")
    .innerJoin("policy_revisions", "policy_revisions.id", "rollout_sites.from_revision_id")
    .select("policy_revisions.id")
    .where("rollout_sites.rollout_id", "=", rollout.id)
    .where("rollout_sites.state", "!=", "left")
    .where("policy_revisions.policy_id", "=", rollout.policy_id)
    .groupBy(["policy_revisions.id", "policy_revisions.number"])
    .orderBy((eb) => eb.fn.countAll(), "desc")
    .orderBy("policy_revisions.number", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

async function sitesOf(trx: Trx, { id }: RolloutRow): Promise<SiteId[]> {
  const rows = await trx
    .selectFrom("rollout_sites")
    .select("site_id as id")
    .where("rollout_id", "=", id)
    .where("state", "!=", "left")
    .execute();
  return idsOf(rows);
}

function idsOf(rows: readonly { readonly id: SiteId }[]): SiteId[] {
  return rows.map(({ id }) => id);
}
