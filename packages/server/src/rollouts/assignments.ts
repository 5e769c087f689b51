/**
 * The SQL of site_policies: which policy a site has, and which revision of one its router is to have. Who writes it holds
 * the sites' rows in `sites` first: see `lockIdentities`.
 */
import { type Expression, type Insertable, sql } from "kysely";
import type { SitePoliciesTable, Trx } from "../database/index.ts";
import type { PolicyId, RevisionId, RolloutId, SiteId } from "../kernel/ids.ts";
import { lockIdentities } from "../sites/index.ts";
import type { PolicyRef, RolloutRow } from "./store.ts";

export async function insertAssignment(trx: Trx, assignment: Insertable<SitePoliciesTable>): Promise<void> {
  await trx.insertInto("site_policies").values(assignment).execute();
}

/** Another policy from now on; what their routers are to have stays for now. */
export async function assignPolicy(trx: Trx, siteIds: readonly SiteId[], policyId: PolicyId): Promise<void> {
  await lockIdentities(trx, siteIds);
  await trx
    .updateTable("site_policies")
    .set({ policy_id: policyId })
    .where("site_id", "=", anyOf(siteIds))
    .execute();
}

/** The site's router was found in sync with this revision. */
export async function recordVerified(trx: Trx, siteId: SiteId, revisionId: RevisionId): Promise<void> {
  const unproven = await trx
    .selectFrom("site_policies")
    .select("site_id")
    .where("site_id", "=", siteId)
    .where("verified_revision_id", "is distinct from", revisionId)
    .executeTakeFirst();
  if (!unproven) return;
  await lockIdentities(trx, [siteId]);
  await trx
    .updateTable("site_policies")
    .set({ verified_revision_id: revisionId })
    .where("site_id", "=", siteId)
    .execute();
}

/** These sites' routers are to have the rollout's revision. */
export async function giveRevision(
  trx: Trx,
  siteIds: readonly SiteId[],
  revisionId: RevisionId,
): Promise<void> {
  await trx
    .updateTable("site_policies")
    .set({ policy_revision_id: revisionId, verified_revision_id: toBeProven(sql.val(revisionId)) })
    .where("site_id", "=", anyOf(siteIds))
    .execute();
}

/** These sites, which a rollout under way has given its revision, are to have again what they had before. */
export async function takeBackRevision(trx: Trx, siteIds: readonly SiteId[]): Promise<void> {
  await trx
    .updateTable("site_policies")
    .from("rollout_sites")
    .innerJoin("rollouts", "rollouts.id", "rollout_sites.rollout_id")
    .set((eb) => ({ policy_revision_id: eb.ref("rollout_sites.from_revision_id") }))
    .whereRef("rollout_sites.site_id", "=", "site_policies.site_id")
    .where("rollout_sites.state", "=", "delivering")
    .where("rollouts.ended_at", "is", null)
    .where("rollout_sites.site_id", "=", anyOf(siteIds))
    .execute();
}

/** Every site of the rollout is to be under the policy again that it came from, if there is one still. */
export async function revertPolicies(trx: Trx, rolloutId: RolloutId): Promise<void> {
  await trx
    .updateTable("site_policies")
    .from("rollout_sites")
    .innerJoin("policy_revisions", "policy_revisions.id", "rollout_sites.from_revision_id")
    .set((eb) => ({ policy_id: eb.ref("policy_revisions.policy_id").$notNull() }))
    .whereRef("rollout_sites.site_id", "=", "site_policies.site_id")
    .whereRef("policy_revisions.policy_id", "!=", "site_policies.policy_id")
    .where("rollout_sites.rollout_id", "=", rolloutId)
    .where("rollout_sites.state", "!=", "left")
    .execute();
}

/** Every site of the rollout is to have again what it last proved to work with. @returns those that had another one */
export async function revertRevisions(trx: Trx, rolloutId: RolloutId): Promise<SiteId[]> {
  const changed = await trx
    .updateTable("site_policies")
    .from("rollout_sites")
    .set((eb) => ({
      policy_revision_id: eb.ref("rollout_sites.from_revision_id"),
      verified_revision_id: toBeProven(eb.ref("rollout_sites.from_revision_id")),
    }))
    .whereRef("rollout_sites.site_id", "=", "site_policies.site_id")
    .whereRef("rollout_sites.from_revision_id", "!=", "site_policies.policy_revision_id")
    .where("rollout_sites.rollout_id", "=", rolloutId)
    .where("rollout_sites.state", "!=", "left")
    .returning("site_policies.site_id")
    .execute();
  return idsOf(changed);
}

/** The policy's sites that have the rollout's revision have this one instead. @returns which those are */
export async function replaceRevision(
  trx: Trx,
  rollout: RolloutRow,
  revisionId: RevisionId,
): Promise<SiteId[]> {
  const changed = await trx
    .updateTable("site_policies")
    .set({ policy_revision_id: revisionId })
    .where("policy_id", "=", rollout.policy_id)
    .where("policy_revision_id", "=", rollout.revision_id)
    .returning("site_id")
    .execute();
  return idsOf(changed);
}

/** Sites of the policy that are no rollout's: not adopted yet, or being deleted. @returns those that were behind */
export async function assignToUnmanaged(trx: Trx, policy: PolicyRef): Promise<SiteId[]> {
  const changed = await trx
    .updateTable("site_policies")
    .from("sites")
    .innerJoin("site_connections", "site_connections.site_id", "sites.id")
    .set({ policy_revision_id: policy.revision_id })
    .whereRef("sites.id", "=", "site_policies.site_id")
    .where("site_policies.policy_id", "=", policy.id)
    .where("site_policies.policy_revision_id", "!=", policy.revision_id)
    .where((eb) =>
      eb.or([eb("site_connections.management_address", "is", null), eb("sites.status", "=", "deleting")]),
    )
    .returning("site_policies.site_id")
    .execute();
  return idsOf(changed);
}

/**
 * A revision that the site had before another has to prove itself anew: what the other one has left on the router is
 * not to be taken for somebody's change, which a policy may want only reported.
 */
function toBeProven(revision: Expression<string>) {
  return sql<string | null>`nullif(site_policies.verified_revision_id, ${revision})`;
}

function idsOf(rows: readonly { readonly site_id: SiteId }[]): SiteId[] {
  return rows.map(({ site_id }) => site_id);
}

/**
 * One parameter, however many ids. To be compared with the column a statement begins from: in a join with it PostgreSQL
 * would go through the ids once for every row (10 s for some thousands).
 */
export function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids}::uuid[])`;
}
