/** The SQL of policies. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type PolicyInput, type RolloutState, SERVICE_NAMES } from "@portreeve/api-schema";
import { type Insertable, type RawBuilder, type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";

/** What a policy says about a router: everything of it but its name. */
const CONTENT = [
  "services",
  "trusted_networks",
  "custom_input_rules",
  "brute_force_protection",
  "drift",
  "management_transport",
] as const;
export type PolicyContent = Pick<Selectable<Tables["policy_revisions"]>, (typeof CONTENT)[number]>;

/** What of it is delivered by itself: the transport is the site's. */
export type DeliveredContent = Omit<PolicyContent, "management_transport" | "drift">;

/** A policy with the content of its current revision, and its roll-out when one is under way. */
export type PolicyRow = Selectable<Tables["policies"]> &
  PolicyContent & { readonly rollout_id: string | null; readonly rollout_state: RolloutState | null };

export function listPolicies(trx: Trx): Promise<PolicyRow[]> {
  return policies(trx).orderBy("policies.created_at").orderBy("policies.id").execute();
}

export function findPolicy(trx: Trx, id: string): Promise<PolicyRow | undefined> {
  return policies(trx).where("policies.id", "=", id).executeTakeFirst();
}

/** The policy as it is now, locked against other changes until the transaction ends. */
export async function lockPolicy(trx: Trx, id: string): Promise<PolicyRow | undefined> {
  // Not FOR UPDATE: that would also hold up whoever writes a row that refers to the policy, such as a site's run.
  await trx.selectFrom("policies").select("id").where("id", "=", id).forNoKeyUpdate().execute();
  // Read only once the lock is held: a statement that waited for it would join the revision it had seen before.
  return findPolicy(trx, id);
}

/**
 * In the tenant's role there is one. Its revision stays what it is until the transaction ends: a site that starts
 * under it would otherwise miss a change made at the same moment.
 * @throws when the customer has none, which nothing allows
 */
export async function defaultPolicy(trx: Trx): Promise<PolicyRow> {
  await trx.selectFrom("policies").select("id").where("is_default", "=", true).forShare().execute();
  return policies(trx).where("policies.is_default", "=", true).executeTakeFirstOrThrow();
}

export type NewPolicy = Pick<PolicyRow, "customer_id" | "name" | "slug" | "is_default">;

/** A policy with its first revision. */
export async function insertPolicy(trx: Trx, policy: NewPolicy, content: PolicyContent): Promise<PolicyRow> {
  const { id, revision_id, customer_id } = await trx
    .insertInto("policies")
    .values({ ...policy, revision_id: randomUUID() })
    .returningAll()
    .executeTakeFirstOrThrow();
  await insertRevision(trx, { id: revision_id, policy_id: id, customer_id, number: 1 }, content);
  return (await findPolicy(trx, id)) as PolicyRow;
}

/** Change a locked policy. Content that differs becomes its next revision; the same content makes none. */
export async function changePolicy(
  trx: Trx,
  policy: PolicyRow,
  { name, content }: { name: string; content: PolicyContent },
): Promise<PolicyRow> {
  const { id, customer_id } = policy;
  const same = CONTENT.every((column) => isDeepStrictEqual(policy[column], content[column]));
  const revision_id = same ? policy.revision_id : randomUUID();
  if (!same) {
    const number = sql<number>`(select max(number) + 1 from policy_revisions where policy_id = ${id})`;
    await insertRevision(trx, { id: revision_id, policy_id: id, customer_id, number }, content);
  }
  await trx
    .updateTable("policies")
    .set({ name, revision_id, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
  return (await findPolicy(trx, id)) as PolicyRow;
}

/** What the site is to have now: the content of its revision, which may not be its policy's current one. */
export function contentOfSite(trx: Trx, siteId: string): Promise<PolicyContent> {
  return trx
    .selectFrom("sites")
    .innerJoin("policy_revisions", "policy_revisions.id", "sites.policy_revision_id")
    .select(CONTENT.map((column) => `policy_revisions.${column}` as const))
    .where("sites.id", "=", siteId)
    .executeTakeFirstOrThrow();
}

/** Sites under a policy, or these (one at least); each with what its revision says. */
export function sitesWithRevision(trx: Trx, of: { policyId: string } | { siteIds: readonly string[] }) {
  return trx
    .selectFrom("sites")
    .innerJoin("policy_revisions", "policy_revisions.id", "sites.policy_revision_id")
    .select(["sites.id", "sites.name", "sites.management_transport"])
    .select(
      CONTENT.filter((column) => column !== "management_transport").map(
        (column) => `policy_revisions.${column}` as const,
      ),
    )
    .where((eb) =>
      "policyId" in of ? eb("sites.policy_id", "=", of.policyId) : eb("sites.id", "in", of.siteIds),
    )
    .orderBy("sites.created_at")
    .orderBy("sites.id")
    .execute();
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

/** The content of a request. */
export function contentOf(input: PolicyInput): PolicyContent {
  return {
    services: Object.fromEntries(SERVICE_NAMES.map((name) => [name, input[name]])),
    trusted_networks: input.trusted_networks,
    custom_input_rules: input.custom_input_rules,
    brute_force_protection: input.brute_force_protection,
    drift: input.drift,
    management_transport: input.management_transport,
  };
}

function policies(trx: Trx) {
  return trx
    .selectFrom("policies")
    .innerJoin("policy_revisions", "policy_revisions.id", "policies.revision_id")
    .leftJoin("rollouts", (join) =>
      join.onRef("rollouts.policy_id", "=", "policies.id").on("rollouts.ended_at", "is", null),
    )
    .selectAll("policies")
    .select(CONTENT.map((column) => `policy_revisions.${column}` as const))
    .select(["rollouts.id as rollout_id", "rollouts.state as rollout_state"]);
}

type Revision = Pick<Insertable<Tables["policy_revisions"]>, "id" | "customer_id" | "policy_id"> & {
  number: number | RawBuilder<number>;
};

async function insertRevision(trx: Trx, revision: Revision, content: PolicyContent): Promise<void> {
  await trx
    .insertInto("policy_revisions")
    .values({
      ...revision,
      services: JSON.stringify(content.services),
      trusted_networks: content.trusted_networks,
      custom_input_rules: content.custom_input_rules,
      brute_force_protection: content.brute_force_protection,
      drift: content.drift,
      management_transport: content.management_transport,
    })
    .execute();
}
