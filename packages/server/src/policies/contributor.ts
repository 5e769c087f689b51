import type { Contributor } from "../reconcile/index.ts";
import { recordVerified } from "../rollouts/index.ts";
import { desired, type PolicyFacts, policyFacts } from "./desired.ts";

interface Facts extends PolicyFacts {
  readonly revisionId: string;
}

/** The policy of a site, in the revision that the site is to have, for the reconciler. */
export const policyContributor: Contributor<Facts> = {
  name: "policies",
  async load(trx, siteId) {
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
    return { revisionId: row.id, ...policyFacts(row, row, row.id) };
  },
  desired,
  /** What was read back is what this revision wants, but for changes that are only reported: the site has proven it. */
  async record(trx, siteId, { revisionId }, { withheld, problem }) {
    if (problem !== undefined || withheld.some(({ reportOnly }) => !reportOnly)) return;
    await recordVerified(trx, siteId, revisionId);
  },
};
