/** The policy of a site for the reconciler. */
import type { Trx } from "../database/index.ts";
import type { Contributor } from "../reconcile/index.ts";
import { recordVerified } from "../rollouts/index.ts";
import { desired, type PolicyFacts, policyFacts } from "./desired.ts";

const POLICIES = "policies";

/** In the revision that the site is to have. */
export const policyContributor: Contributor = {
  name: POLICIES,
  async load(trx, siteId) {
    const { revisionId, facts } = await policyOf(trx, siteId);
    return {
      desired: (router) => desired(facts, router),
      /** What was read back is what this revision wants, but for changes that are only reported: the site has proven it. */
      async record(trx, { withheld, problem }) {
        if (problem !== undefined || withheld.some(({ reportOnly }) => !reportOnly)) return;
        await recordVerified(trx, siteId, revisionId);
      },
    };
  },
};

/** Stands in for it where a policy is tried out. */
export function draftContributor(facts: PolicyFacts): Contributor {
  return { name: POLICIES, load: async () => ({ desired: (router) => desired(facts, router) }) };
}

export async function policyOf(
  trx: Trx,
  siteId: string,
): Promise<{ revisionId: string; facts: PolicyFacts }> {
  const row = await trx
    .selectFrom("site_policies")
    .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
    .innerJoin("site_connections", "site_connections.site_id", "site_policies.site_id")
    .select([
      "policy_revisions.id",
      "policy_revisions.services",
      "policy_revisions.trusted_networks",
      "policy_revisions.custom_input_rules",
      "policy_revisions.brute_force_protection",
      "policy_revisions.drift",
      "site_policies.verified_revision_id",
      "site_connections.management_transport",
    ])
    .where("site_policies.site_id", "=", siteId)
    .executeTakeFirstOrThrow();
  return { revisionId: row.id, facts: policyFacts(row, row, row.id) };
}
