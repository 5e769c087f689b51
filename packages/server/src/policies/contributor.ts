import type { Contributor } from "../reconcile/index.ts";
import { desired, type PolicyFacts, policyFacts } from "./desired.ts";

/** The policy of a site, for the reconciler. */
export const policyContributor: Contributor<PolicyFacts> = {
  name: "policies",
  async load(trx, siteId) {
    const row = await trx
      .selectFrom("sites")
      .innerJoin("policies", "policies.id", "sites.policy_id")
      .select([
        "policies.services",
        "policies.trusted_networks",
        "policies.custom_input_rules",
        "policies.brute_force_protection",
        "sites.management_transport",
      ])
      .where("sites.id", "=", siteId)
      .executeTakeFirstOrThrow();
    return policyFacts(row, row.management_transport);
  },
  desired,
};
