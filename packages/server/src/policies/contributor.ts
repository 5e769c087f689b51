import type { Contributor } from "../reconcile/index.ts";
import { desired, type PolicyFacts } from "./desired.ts";

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
    return {
      services: row.services,
      trustedNetworks: row.trusted_networks,
      managementTransport: row.management_transport,
      customInputRules: row.custom_input_rules,
      bruteForceProtection: row.brute_force_protection,
    };
  },
  desired,
};
