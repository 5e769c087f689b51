/** The SQL of policies. */
import { type PolicyInput, SERVICE_NAMES } from "@portreeve/api-schema";
import { type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";
import type { PolicyContent } from "./desired.ts";

export type PolicyRow = Selectable<Tables["policies"]>;

export function listPolicies(trx: Trx): Promise<PolicyRow[]> {
  return trx.selectFrom("policies").selectAll().orderBy("created_at").orderBy("id").execute();
}

export function findPolicy(trx: Trx, id: string): Promise<PolicyRow | undefined> {
  return trx.selectFrom("policies").selectAll().where("id", "=", id).executeTakeFirst();
}

export function lockPolicy(trx: Trx, id: string): Promise<PolicyRow | undefined> {
  return trx.selectFrom("policies").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

/** In the tenant's role there is one. @throws when the customer has none, which nothing allows */
export async function defaultPolicyId(trx: Trx): Promise<string> {
  const row = await trx
    .selectFrom("policies")
    .select("id")
    .where("is_default", "=", true)
    .executeTakeFirstOrThrow();
  return row.id;
}

/** What a request says of the routers. */
export function contentOf(input: PolicyInput): PolicyContent {
  return {
    services: Object.fromEntries(SERVICE_NAMES.map((name) => [name, input[name]])),
    trusted_networks: input.trusted_networks,
    custom_input_rules: input.custom_input_rules,
    brute_force_protection: input.brute_force_protection,
  };
}

/** The policy's columns that a request sets. @param content what is stored of its content, where that differs */
export function columnsOf(input: PolicyInput, content: PolicyContent = contentOf(input)) {
  const { services, trusted_networks, ...options } = content;
  return {
    name: input.name,
    services: JSON.stringify(services),
    trusted_networks: [...trusted_networks],
    ...options,
    management_transport: input.management_transport,
  };
}

/** A site, and what its own policy says. */
export type SiteWithPolicy = Awaited<ReturnType<typeof sitesWithPolicy>>[number];

/** Sites under a policy, or these; oldest first. */
export async function sitesWithPolicy(trx: Trx, of: { policyId: string } | { siteIds: readonly string[] }) {
  if ("siteIds" in of && of.siteIds.length === 0) return [];
  return trx
    .selectFrom("sites")
    .innerJoin("policies", "policies.id", "sites.policy_id")
    .select([
      "sites.id",
      "sites.name",
      "sites.management_transport",
      "sites.management_address",
      "policies.services",
      "policies.trusted_networks",
      "policies.custom_input_rules",
      "policies.brute_force_protection",
    ])
    .where((eb) =>
      "policyId" in of ? eb("policies.id", "=", of.policyId) : eb("sites.id", "in", of.siteIds),
    )
    .orderBy("sites.created_at")
    .orderBy("sites.id")
    .execute();
}

export function touchUpdatedAt(trx: Trx, policyId: string): Promise<PolicyRow> {
  return trx
    .updateTable("policies")
    .set({ updated_at: sql<Date>`now()` })
    .where("id", "=", policyId)
    .returningAll()
    .executeTakeFirstOrThrow();
}
