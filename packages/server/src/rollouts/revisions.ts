/** Which revision sites are to have: given with their wave, taken back, or taken at once. Every change wakes the site. */
import { type Expression, sql } from "kysely";
import type { Trx } from "../database/index.ts";
import type { SiteService } from "../sites/index.ts";
import { rolloutSites } from "./progress.ts";
import { NOT_STARTED, type PolicyRef, type RolloutRow } from "./store.ts";

export class Revisions {
  readonly #sites: SiteService;

  constructor(sites: SiteService) {
    this.#sites = sites;
  }

  /** The wave of these sites has come. */
  async give(trx: Trx, rollout: RolloutRow, wave: number, siteIds: readonly string[]): Promise<void> {
    await trx
      .updateTable("sites")
      .set({
        policy_revision_id: rollout.revision_id,
        verified_revision_id: toBeProven(sql.val(rollout.revision_id)),
      })
      .where("id", "=", anyOf(siteIds))
      .execute();
    await this.#touch(trx, rollout, siteIds, { state: "delivering", wave });
  }

  /** Sites that have not been reached go back to where they were, as if their wave had not come. */
  async giveBack(trx: Trx, siteIds: readonly string[]): Promise<void> {
    if (siteIds.length === 0) return;
    await trx
      .updateTable("sites")
      .from("rollout_sites")
      .innerJoin("rollouts", "rollouts.id", "rollout_sites.rollout_id")
      .set((eb) => ({ policy_revision_id: eb.ref("rollout_sites.from_revision_id") }))
      .whereRef("rollout_sites.site_id", "=", "sites.id")
      .where("rollout_sites.state", "=", "delivering")
      .where("rollouts.ended_at", "is", null)
      .where("rollout_sites.site_id", "=", anyOf(siteIds))
      .execute();
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

  /** Nobody is to get the revision any more, for now: whoever has not got it yet waits again. */
  async hold(trx: Trx, rollout: RolloutRow): Promise<void> {
    await this.giveBack(trx, idsOf(await unreached(trx).where("rollouts.id", "=", rollout.id).execute()));
  }

  /** Sites that are under this policy now leave the rollouts of those they were under. */
  async detachFromOthers(trx: Trx, policyId: string): Promise<void> {
    const elsewhere = unreached(trx)
      .where("sites.policy_id", "=", policyId)
      .where("rollouts.policy_id", "!=", policyId);
    await this.giveBack(trx, idsOf(await elsewhere.execute()));
    await trx
      .updateTable("rollout_sites")
      .from("sites")
      .innerJoin("rollouts", (join) => join.on("rollouts.ended_at", "is", null))
      .set({ state: "left" })
      .whereRef("sites.id", "=", "rollout_sites.site_id")
      .whereRef("rollouts.id", "=", "rollout_sites.rollout_id")
      .where("sites.policy_id", "=", policyId)
      .where("rollouts.policy_id", "!=", policyId)
      .execute();
  }

  /**
   * Every site goes back to what it last proved to work with, and to the policy that this belongs to, if there is one
   * still. The policy goes back to what most of its sites go back to.
   */
  async revert(trx: Trx, rollout: RolloutRow): Promise<void> {
    await trx
      .updateTable("sites")
      .from("rollout_sites")
      .innerJoin("policy_revisions", "policy_revisions.id", "rollout_sites.from_revision_id")
      .set((eb) => ({ policy_id: eb.ref("policy_revisions.policy_id").$notNull() }))
      .whereRef("rollout_sites.site_id", "=", "sites.id")
      .whereRef("policy_revisions.policy_id", "!=", "sites.policy_id")
      .where("rollout_sites.rollout_id", "=", rollout.id)
      .where("rollout_sites.state", "!=", "left")
      .execute();
    const changed = await trx
      .updateTable("sites")
      .from("rollout_sites")
      .set((eb) => ({
        policy_revision_id: eb.ref("rollout_sites.from_revision_id"),
        verified_revision_id: toBeProven(eb.ref("rollout_sites.from_revision_id")),
      }))
      .whereRef("rollout_sites.site_id", "=", "sites.id")
      .whereRef("rollout_sites.from_revision_id", "!=", "sites.policy_revision_id")
      .where("rollout_sites.rollout_id", "=", rollout.id)
      .where("rollout_sites.state", "!=", "left")
      .returning("sites.id")
      .execute();
    await this.#touch(trx, rollout, idsOf(changed), { state: "reverting" });
    const base = await baseOf(trx, rollout);
    if (base === undefined) return;
    await trx
      .updateTable("policies")
      .set({ revision_id: base, updated_at: sql<Date>`now()` })
      .where("id", "=", rollout.policy_id)
      .execute();
    // Those that took the revision when they were added, and are in no rollout.
    const others = await trx
      .updateTable("sites")
      .set({ policy_revision_id: base })
      .where("policy_id", "=", rollout.policy_id)
      .where("policy_revision_id", "=", rollout.revision_id)
      .returning("id")
      .execute();
    await this.#sites.bumpGeneration(trx, idsOf(others));
  }

  /** Sites that are no rollout's have the policy's revision at once: there is nothing yet that it would change. */
  async assignNow(trx: Trx, policy: PolicyRef): Promise<void> {
    const taken = await trx
      .updateTable("sites")
      .set({ policy_revision_id: policy.revision_id })
      .where("policy_id", "=", policy.id)
      .where("policy_revision_id", "!=", policy.revision_id)
      .where((eb) => eb.or([eb("management_address", "is", null), eb("status", "=", "deleting")]))
      .returning("id")
      .execute();
    await this.#sites.bumpGeneration(trx, idsOf(taken));
  }

  async #touch(
    trx: Trx,
    rollout: RolloutRow,
    siteIds: readonly string[],
    change: { state: "delivering"; wave: number } | { state: "reverting" },
  ): Promise<void> {
    await this.#sites.bumpGeneration(trx, siteIds);
    await trx
      .updateTable("rollout_sites")
      .from("sites")
      .set((eb) => ({
        ...change,
        generation: eb.ref("sites.generation"),
        started_at: sql<Date>`now()`,
        reason: null,
      }))
      .whereRef("sites.id", "=", "rollout_sites.site_id")
      .where("rollout_sites.rollout_id", "=", rollout.id)
      .where("rollout_sites.site_id", "=", anyOf(siteIds))
      .execute();
  }
}

/** Sites that were given a revision and that nobody has logged in to since; which rollouts' is for the caller to add. */
function unreached(trx: Trx) {
  return rolloutSites(trx)
    .select("sites.id")
    .where("rollouts.ended_at", "is", null)
    .where("rollout_sites.state", "=", "delivering")
    .where((eb) =>
      eb.or([
        eb("sites.last_seen_at", "is", null),
        eb("sites.last_seen_at", "<=", eb.ref("rollout_sites.started_at")),
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

/**
 * A revision that the site had before another has to prove itself anew: what the other one has left on the router is
 * not to be taken for somebody's change, which a policy may want only reported.
 */
function toBeProven(revision: Expression<string>) {
  return sql<string | null>`nullif(sites.verified_revision_id, ${revision})`;
}

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

/**
 * One parameter, however many ids. To be compared with the column a statement begins from: in a join with it PostgreSQL
 * would go through the ids once for every row (10 s for some thousands).
 */
function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids}::uuid[])`;
}
