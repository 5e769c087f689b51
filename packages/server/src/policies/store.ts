/** The SQL of policies. */
import { type PolicyInput, SERVICE_NAMES } from "@portreeve/api-schema";
import { type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";

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

/** The policy's columns that a request sets. */
export function columnsOf(input: PolicyInput) {
  return {
    name: input.name,
    services: JSON.stringify(Object.fromEntries(SERVICE_NAMES.map((name) => [name, input[name]]))),
    trusted_networks: input.trusted_networks,
    custom_input_rules: input.custom_input_rules,
    brute_force_protection: input.brute_force_protection,
    management_transport: input.management_transport,
  };
}

export async function sitesOfPolicy(trx: Trx, policyId: string) {
  return trx
    .selectFrom("sites")
    .select(["id", "name", "keeps_certificate"])
    .where("policy_id", "=", policyId)
    .orderBy("created_at")
    .orderBy("id")
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
