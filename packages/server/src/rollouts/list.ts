/** The SQL of showing rollouts. */
import type { RolloutSiteState, RolloutState } from "@portreeve/api-schema";
import { type Selectable, sql } from "kysely";
import { exactTime, type Tables, type Trx } from "../database/index.ts";
import type { PolicyId, RolloutId } from "../kernel/ids.ts";
import { REASON, rolloutSites, STATE } from "./progress.ts";

/** How many sites of a wave are in a state. */
export interface Tally {
  readonly wave: number | null;
  readonly state: RolloutSiteState;
  readonly sites: number;
}

export type ShownRollout = Selectable<Tables["rollouts"]> & {
  /** Number of the revision. */
  readonly number: number;
  /** For the cursor. */
  readonly position: string;
  readonly tallies: readonly Tally[];
};

export interface RolloutFilter {
  readonly id?: string | undefined;
  readonly policyId?: PolicyId | undefined;
  readonly state?: RolloutState | undefined;
  /** The position `[created_at, id]` of the last row seen. */
  readonly before?: readonly [string, string] | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listRollouts(trx: Trx, filter: RolloutFilter): Promise<ShownRollout[]> {
  const { id, policyId, state, before, limit } = filter;
  let query = trx
    .selectFrom("rollouts")
    .innerJoin("policy_revisions", "policy_revisions.id", "rollouts.revision_id")
    .selectAll("rollouts")
    .select(["policy_revisions.number", exactTime("rollouts.created_at").as("position")])
    .orderBy("rollouts.created_at", "desc")
    .orderBy("rollouts.id", "desc")
    .limit(limit);
  if (id) query = query.where("rollouts.id", "=", id);
  if (policyId) query = query.where("rollouts.policy_id", "=", policyId);
  if (state) query = query.where("rollouts.state", "=", state);
  if (before) {
    const [createdAt, lastId] = before;
    query = query.where(
      sql<boolean>`(rollouts.created_at, rollouts.id) < (${createdAt}::timestamptz, ${lastId}::uuid)`,
    );
  }
  const rows = await query.execute();
  const tallies = await tallySites(
    trx,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({ ...row, tallies: tallies.filter(({ rollout_id }) => rollout_id === row.id) }));
}

function tallySites(trx: Trx, rolloutIds: readonly RolloutId[]) {
  const sites = rolloutSites(trx)
    .select(["rollout_sites.rollout_id", "rollout_sites.wave", STATE.as("state")])
    .where("rollouts.id", "=", sql<string>`any(${rolloutIds}::uuid[])`);
  return trx
    .selectFrom(sites.as("counted"))
    .select(["rollout_id", "wave", "state", sql<number>`count(*)::integer`.as("sites")])
    .groupBy(["rollout_id", "wave", "state"])
    .execute();
}

export interface RolloutSiteFilter {
  readonly state?: RolloutSiteState | undefined;
  /** Continue after this site (ids order the list). */
  readonly after?: string | undefined;
  readonly limit: number;
}

export function listSitesOf(trx: Trx, rolloutId: RolloutId, { state, after, limit }: RolloutSiteFilter) {
  let query = rolloutSites(trx)
    .select(["site.id as site_id", "site.name", "rollout_sites.wave"])
    .select([STATE.as("state"), REASON.as("reason")])
    .where("rollouts.id", "=", rolloutId)
    .orderBy("site.id")
    .limit(limit);
  if (state) query = query.where(STATE, "=", state);
  if (after) query = query.where("site.id", ">", after);
  return query.execute();
}
export type ShownSite = Awaited<ReturnType<typeof listSitesOf>>[number];
