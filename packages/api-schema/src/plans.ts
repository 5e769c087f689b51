/** What a change would do to a router: the steps, the input chain they lead to, and who can still get in. */
import { z } from "zod";
import { uuid } from "./fields.ts";
import { eight, policyInput } from "./policies.ts";

export const planStep = z
  .strictObject({
    menu: z.string(),
    command: z.string(),
    target: z.string().nullable(),
    values: z.record(z.string(), z.string()).describe("Secrets are shown as [hidden]."),
    before: z.record(z.string(), z.string()).nullable().describe("Of set: what these properties are now."),
    text: z.string().describe("The step in RouterOS's own words."),
  })
  .meta({ id: "PlanStep" });
export type PlanStep = z.infer<typeof planStep>;

const chainRule = z
  .strictObject({
    number: z.int().describe("Its place in the menu, as print numbers it."),
    text: z.string().describe("The rule in RouterOS's own words, as an export has it."),
    ours: z.boolean(),
    dynamic: z.boolean(),
    disabled: z.boolean(),
  })
  .meta({ id: "ChainRule" });
export type ChainRule = z.infer<typeof chainRule>;

const ACCESS_ANSWERS = ["yes", "no", "partly", "depends"] as const;

const accessCell = z
  .strictObject({
    access: z.enum(ACCESS_ANSWERS).describe("depends: on something Portreeve can't know, see because."),
    because: z.array(z.string()).describe("The rules and settings that decide."),
    networks: z.array(z.string()).describe("Of partly and depends: the sources that certainly have access."),
  })
  .meta({ id: "AccessCell" });
export type AccessCell = z.infer<typeof accessCell>;

const accessRow = z
  .strictObject({
    source: z.strictObject({
      kind: z
        .enum(["management", "caller", "policy", "router", "internet"])
        .describe(
          "Portreeve itself, the caller, a network the policy names, one that only the router names, or everybody.",
        ),
      network: z.string(),
    }),
    services: z.strictObject(eight(z.strictObject({ before: accessCell, after: accessCell }))),
  })
  .meta({ id: "AccessRow" });
export type AccessRow = z.infer<typeof accessRow>;

const effect = {
  steps: z.array(planStep),
  input_chain: z
    .strictObject({ ipv4: z.array(chainRule).nullable(), ipv6: z.array(chainRule).nullable() })
    .describe("The input chain after the steps, with the chains it leads into; null: the router has none."),
  access: z.array(accessRow).describe("Who has access to which service, before and after the steps."),
  warnings: z.array(z.string()),
};

export const plan = z.strictObject(effect).meta({ id: "Plan" });
export type Plan = z.infer<typeof plan>;

/** Each site is a router that is asked while the caller waits. */
export const MAX_PREVIEW_SITES = 50;

export const previewInput = z
  .strictObject({
    policy: policyInput.optional().describe("A draft; without it the policy as it is stored."),
    sites: z
      .array(uuid)
      .min(1, "must name a site; leave it out for all attached ones")
      .max(MAX_PREVIEW_SITES, `must be at most ${MAX_PREVIEW_SITES} sites; ask for the others separately`)
      .optional()
      .describe("Only these, attached or not; without it all attached ones."),
  })
  .meta({ id: "PolicyPreviewInput" });
export type PreviewInput = z.infer<typeof previewInput>;

const sitePreview = z
  .strictObject({
    site_id: uuid,
    name: z.string(),
    reached: z.boolean(),
    reason: z.string().nullable().describe("Why the router could not be read."),
    ...effect,
  })
  .meta({ id: "SitePreview" });
export type SitePreview = z.infer<typeof sitePreview>;

export const policyPreview = z.strictObject({ data: z.array(sitePreview) }).meta({ id: "PolicyPreview" });
export type PolicyPreview = z.infer<typeof policyPreview>;
