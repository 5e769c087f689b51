import { z } from "zod";
import { listOf, listQuery } from "./common.ts";
import { isoTime, uuid } from "./fields.ts";

/** The first four are under way: a policy has one of them at the most. */
export const ROLLOUT_STATES = [
  "running",
  "paused",
  "stopped",
  "rolling_back",
  "done",
  "rolled_back",
  "superseded",
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

export const ROLLOUT_SITE_STATES = [
  "waiting",
  "unreachable",
  "delivering",
  "verified",
  "failed",
  "reverting",
  "reverted",
  "left",
] as const;
export type RolloutSiteState = (typeof ROLLOUT_SITE_STATES)[number];

const siteState = z
  .enum(ROLLOUT_SITE_STATES)
  .describe(
    [
      "waiting: its wave has not started",
      "unreachable: it gets the change when it returns",
      "delivering: on its way to the router",
      "verified: read back from the router",
      "failed: the router refused it, or does not answer since",
      "reverting, reverted: returning to the earlier revision; returned",
      "left: deleted, moved to another policy, or taken over by a newer rollout",
    ].join("; "),
  );

const rolloutSite = z
  .strictObject({
    site_id: uuid,
    name: z.string(),
    wave: z.int().nullable().describe("null before its wave has started"),
    state: siteState,
    reason: z.string().nullable().describe("Why it failed or can't be reached."),
  })
  .meta({ id: "RolloutSite" });
export type RolloutSite = z.infer<typeof rolloutSite>;

const sitesByState = z
  .partialRecord(z.enum(ROLLOUT_SITE_STATES), z.int())
  .describe("State -> number of sites; a state that no site is in is left out.");

const fields = {
  id: uuid,
  policy_id: uuid.nullable().describe("null once the policy is deleted"),
  revision: z.int().describe("The revision of the policy that its sites get."),
  state: z.enum(ROLLOUT_STATES),
  reason: z.string().nullable().describe("Why it stopped, or what it waits for."),
  sites: sitesByState,
  created_at: isoTime,
  ended_at: isoTime.nullable(),
};

/** One in a list. */
export const rollout = z.strictObject(fields).meta({ id: "Rollout" });
export type Rollout = z.infer<typeof rollout>;

const wave = z.strictObject({
  number: z.int(),
  size: z.int().describe("How many sites it has when it is complete."),
  sites: sitesByState,
});

/** One by its id. */
export const rolloutDetails = z
  .strictObject({
    ...fields,
    waves: z.array(wave),
    failed: z.array(rolloutSite).describe("The first 100; GET …/sites?state=failed has all."),
    unreachable: z.array(rolloutSite).describe("The first 100; GET …/sites?state=unreachable has all."),
  })
  .meta({ id: "RolloutDetails" });
export type RolloutDetails = z.infer<typeof rolloutDetails>;

export const rolloutQuery = listQuery.extend({
  policy_id: uuid.optional(),
  state: z.enum(ROLLOUT_STATES).optional(),
});
export const rolloutSiteQuery = listQuery.extend({ state: z.enum(ROLLOUT_SITE_STATES).optional() });
export const rolloutList = listOf(rollout).meta({ id: "RolloutList" });
export const rolloutSiteList = listOf(rolloutSite).meta({ id: "RolloutSiteList" });

/** As a policy shows the one that is under way. */
export const rolloutOfPolicy = z
  .strictObject({ id: uuid, state: z.enum(ROLLOUT_STATES) })
  .nullable()
  .describe("The rollout of this policy that is under way.");
