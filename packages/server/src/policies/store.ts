/** The SQL of policies. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type PolicyInput, type RolloutState, SERVICE_NAMES } from "@portreeve/api-schema";
import { type Insertable, type RawBuilder, type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";
import type { PolicyId, RevisionId, SiteId } from "../kernel/ids.ts";
import { insertAssignment } from "../rollouts/index.ts";
import type { SitePart } from "../sites/index.ts";

/** What a policy says about a router. */
const ROUTER_CONTENT = [
  "services",
  "trusted_networks",
  "custom_input_rules",
  "brute_force_protection",
  "drift",
] as const;
type Revisions = Selectable<Tables["policy_revisions"]>;
export type RouterContent = Pick<Revisions, (typeof ROUTER_CONTENT)[number]>;

/** Everything of a policy but its name: also how Portreeve comes in, where a site does not say otherwise. */
const CONTENT = [...ROUTER_CONTENT, "management_transport"] as const;
export type PolicyContent = Pick<Revisions, (typeof CONTENT)[number]>;

/** A policy with the content of its current revision, and its rollout when one is under way. */
export type PolicyRow = Selectable<Tables["policies"]> &
  PolicyContent & { readonly rollout_id: string | null; readonly rollout_state: RolloutState | null };

export function listPolicies(trx: Trx): Promise<PolicyRow[]> {
  return policies(trx).orderBy("policies.created_at").orderBy("policies.id").execute();
}

export function findPolicy(trx: Trx, id: PolicyId): Promise<PolicyRow | undefined> {
  return policies(trx).where("policies.id", "=", id).executeTakeFirst();
}

/** The policy as it is now, locked against other changes until the transaction ends. */
export async function lockPolicy(trx: Trx, id: PolicyId): Promise<PolicyRow | undefined> {
  // Not FOR UPDATE: that would also block transactions that write a row that refers to the policy, such as a site's run.
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
  const same = isSameContent(policy, content);
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

/** Where a rollout that is taken back leads. */
export async function setCurrentRevision(
  trx: Trx,
  policyId: PolicyId,
  revisionId: RevisionId,
): Promise<void> {
  await trx
    .updateTable("policies")
    .set({ revision_id: revisionId, updated_at: sql<Date>`now()` })
    .where("id", "=", policyId)
    .execute();
}

export async function deletePolicy(trx: Trx, policyId: PolicyId): Promise<void> {
  await trx.deleteFrom("policies").where("id", "=", policyId).execute();
}

/** A new site is under the default policy. */
export const policySitePart: SitePart = {
  async insert(trx, siteId, customerId) {
    const { id, revision_id } = await defaultPolicy(trx);
    await insertAssignment(trx, {
      site_id: siteId,
      customer_id: customerId,
      policy_id: id,
      policy_revision_id: revision_id,
    });
  },
};

export function isSameContent(one: PolicyContent, other: PolicyContent): boolean {
  return CONTENT.every((column) => isDeepStrictEqual(one[column], other[column]));
}

/** What the site is to have now: the content of its revision, which may not be its policy's current one. */
export function contentOfSite(trx: Trx, siteId: SiteId): Promise<PolicyContent> {
  return trx
    .selectFrom("site_policies")
    .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
    .select(CONTENT.map((column) => `policy_revisions.${column}` as const))
    .where("site_policies.site_id", "=", siteId)
    .executeTakeFirstOrThrow();
}

/** A site, and what its router is to have now: not yet what its policy says while a change is on its way. */
export type SiteUnderPolicy = Awaited<ReturnType<typeof sitesUnderPolicy>>[number];

/**
 * The transport a site is reached by once a policy is delivered: the one it names, but for a site that stays on api-ssl
 * with an operator's certificate.
 */
export function transportUnder(
  wanted: PolicyContent["management_transport"],
  { keeps_certificate }: Pick<SiteUnderPolicy, "keeps_certificate">,
): PolicyContent["management_transport"] {
  return keeps_certificate ? "api-ssl" : wanted;
}

/** The sites under a policy, or these; oldest first. */
export async function sitesUnderPolicy(
  trx: Trx,
  of: { policyId: PolicyId } | { siteIds: readonly SiteId[] },
) {
  if ("siteIds" in of && of.siteIds.length === 0) return [];
  return trx
    .selectFrom("site_policies")
    .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom("sites")
          .innerJoin("site_connections", "site_connections.site_id", "sites.id")
          .select(["sites.id", "sites.name", "sites.created_at"])
          .select(["site_connections.management_transport", "site_connections.keeps_certificate"])
          .whereRef("sites.id", "=", "site_policies.site_id")
          .offset(sql.lit(0)) // By its id, whatever PostgreSQL knows of a fleet that was just added.
          .as("site"),
      (join) => join.onTrue(),
    )
    .select(ROUTER_CONTENT.map((column) => `policy_revisions.${column}` as const))
    .select([
      "site.id",
      "site.name",
      "site.management_transport",
      "site.keeps_certificate",
      "policy_revisions.management_transport as wanted_transport",
      "site_policies.policy_revision_id",
      "site_policies.verified_revision_id",
    ])
    .where((eb) =>
      "policyId" in of
        ? eb("site_policies.policy_id", "=", of.policyId)
        : eb("site_policies.site_id", "in", of.siteIds),
    )
    .orderBy("site.created_at")
    .orderBy("site.id")
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
