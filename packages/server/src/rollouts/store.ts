/** The SQL of rollouts' own tables; what they do to sites is in `revisions.ts`. */
import type { RolloutState } from "@portreeve/api-schema";
import { type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";
import type { CustomerId, PolicyId, RevisionId, RolloutId } from "../kernel/ids.ts";
import { lockIdentities } from "../sites/index.ts";
import type { SiteProgress } from "./decide.ts";
import { REASON, rolloutSites, STATE } from "./progress.ts";

export type RolloutRow = Selectable<Tables["rollouts"]>;

/** A policy, and the revision its sites are to have. */
export interface PolicyRef {
  readonly id: PolicyId;
  readonly customer_id: CustomerId;
  readonly revision_id: RevisionId;
}

/**
 * One at a time for each customer, until the transaction ends: each that changes what sites are under, or decides about
 * it. Before any row is locked, so that nobody waits for a row of somebody who waits for this.
 */
export async function lockRollouts(trx: Trx, customerId: CustomerId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`portreeve.rollouts:${customerId}`}, 0))`.execute(
    trx,
  );
}

/** The policy's sites, before their rows in rollouts: nobody who deletes one of them can come in between. */
export async function lockSitesOfPolicy(trx: Trx, policyId: PolicyId): Promise<void> {
  const rows = await trx
    .selectFrom("site_policies")
    .select("site_id")
    .where("policy_id", "=", policyId)
    .execute();
  await lockIdentities(
    trx,
    rows.map(({ site_id }) => site_id),
  );
}

export function underWay(trx: Trx): Promise<RolloutRow[]> {
  return trx.selectFrom("rollouts").selectAll().where("ended_at", "is", null).orderBy("id").execute();
}

export function underWayOf(trx: Trx, policyId: PolicyId): Promise<RolloutRow | undefined> {
  return trx
    .selectFrom("rollouts")
    .selectAll()
    .where("policy_id", "=", policyId)
    .where("ended_at", "is", null)
    .executeTakeFirst();
}

export function findRollout(trx: Trx, id: RolloutId): Promise<RolloutRow | undefined> {
  return trx.selectFrom("rollouts").selectAll().where("id", "=", id).executeTakeFirst();
}

export function insertRollout(trx: Trx, policy: PolicyRef): Promise<RolloutRow> {
  return trx
    .insertInto("rollouts")
    .values({ customer_id: policy.customer_id, policy_id: policy.id, revision_id: policy.revision_id })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function setState(
  trx: Trx,
  rollout: RolloutRow,
  state: RolloutState,
  reason: string | null = null,
): Promise<RolloutRow> {
  const isOver = state === "done" || state === "rolled_back" || state === "superseded";
  return trx
    .updateTable("rollouts")
    .set({ state, reason, ...(isOver ? { ended_at: sql<Date>`now()` } : {}) })
    .where("id", "=", rollout.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/**
 * Sites of the policy that its rollout has to bring under its current revision. Sites that are not adopted yet, or are
 * being deleted, are none of a rollout's.
 */
function behind(trx: Trx, policy: Pick<PolicyRef, "id" | "revision_id">) {
  return trx
    .selectFrom("site_policies")
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom("sites")
          .innerJoin("site_connections", "site_connections.site_id", "sites.id")
          .select(["sites.id", "sites.status", "site_connections.management_address"])
          .whereRef("sites.id", "=", "site_policies.site_id")
          .offset(sql.lit(0)) // See `rolloutSites`.
          .as("site"),
      (join) => join.onTrue(),
    )
    .where("site_policies.policy_id", "=", policy.id)
    .where("site_policies.policy_revision_id", "!=", policy.revision_id)
    .where("site.management_address", "is not", null)
    .where("site.status", "!=", "deleting");
}

export async function isAnyBehind(trx: Trx, policy: PolicyRef): Promise<boolean> {
  return (await behind(trx, policy).select("site.id").limit(1).executeTakeFirst()) !== undefined;
}

/** Take in the policy's sites that are behind. @returns how many are new in the rollout */
export async function enrolSites(trx: Trx, rollout: RolloutRow, policy: PolicyRef): Promise<number> {
  const sites = behind(trx, policy).select((eb) => [
    "site_policies.customer_id",
    eb.val(rollout.id).as("rollout_id"),
    "site_policies.site_id",
    eb.fn.coalesce("verified_revision_id", "policy_revision_id").as("from_revision_id"),
  ]);
  const result = await trx
    .insertInto("rollout_sites")
    .columns(["customer_id", "rollout_id", "site_id", "from_revision_id"])
    .expression(sites)
    // It is in already, or it left and is back.
    .onConflict((conflict) =>
      conflict
        .columns(["rollout_id", "site_id"])
        .doUpdateSet((eb) => ({ ...NOT_STARTED, from_revision_id: eb.ref("excluded.from_revision_id") }))
        .where("rollout_sites.state", "=", "left"),
    )
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0);
}

/** A site as it is before its wave has come. */
export const NOT_STARTED = {
  state: "waiting",
  wave: null,
  generation: null,
  started_at: null,
  reason: null,
  excused: false,
} as const;

/** A rollout that ends early lets go of the sites that it has not brought to an end. */
export async function releaseUnfinished(trx: Trx, rolloutId: RolloutId): Promise<void> {
  await trx
    .updateTable("rollout_sites")
    .set({ state: "left" })
    .where("rollout_id", "=", rolloutId)
    .where("state", "in", ["waiting", "delivering", "reverting"])
    .execute();
}

/** Sites that are being off-boarded are no longer the rollout's. */
export async function releaseDeleted(trx: Trx, rolloutId: RolloutId): Promise<void> {
  await trx
    .updateTable("rollout_sites")
    .from("sites")
    .set({ state: "left" })
    .whereRef("sites.id", "=", "rollout_sites.site_id")
    .where("sites.status", "=", "deleting")
    .where("rollout_sites.rollout_id", "=", rolloutId)
    .execute();
}

/**
 * How far the rollout's sites are, in the order in which they have their turn. What they have come to is written down
 * as it was read, so that it stays when the rollout is over or the site gets another change.
 */
export async function lookAtSites(trx: Trx, rolloutId: RolloutId): Promise<SiteProgress[]> {
  const sites = await rolloutSites(trx)
    .select(["site.id as siteId", "rollout_sites.wave", "rollout_sites.excused"])
    .select(["rollout_sites.state as written", REASON.as("reason")])
    .select(STATE.$castTo<SiteProgress["state"]>().as("state"))
    .where("rollouts.id", "=", rolloutId)
    .where("rollout_sites.state", "!=", "left")
    // A router that fails already proves nothing. Of each RouterOS version and model one early: what breaks one of
    // them breaks them all.
    .orderBy(sql`site.sync_state in ('failed', 'needs_attention')`)
    .orderBy(sql`row_number() over (partition by site.version, site.model order by site.id)`)
    .orderBy("site.id")
    .execute();
  const results = sites.filter(({ state, written }) => isResult(state) && state !== written);
  if (results.length > 0) {
    const columns = [
      sql`${results.map(({ siteId }) => siteId)}::uuid[]`,
      sql`${results.map(({ state }) => state)}::text[]`,
      sql`${results.map(({ reason }) => reason)}::text[]`,
    ];
    await sql`
      update rollout_sites set state = result.state, reason = result.reason
        from unnest(${sql.join(columns)}) as result (site_id, state, reason)
       where rollout_sites.rollout_id = ${rolloutId} and rollout_sites.site_id = result.site_id`.execute(trx);
  }
  return sites;
}

function isResult(state: SiteProgress["state"]): boolean {
  return state === "verified" || state === "failed" || state === "reverted";
}

/** An operator wants to continue despite these failures. */
export async function excuseFailures(trx: Trx, rolloutId: RolloutId): Promise<void> {
  await trx
    .updateTable("rollout_sites")
    .set({ excused: true })
    .where("rollout_id", "=", rolloutId)
    .where("state", "=", "failed")
    .execute();
}
