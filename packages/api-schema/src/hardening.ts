import { z } from "zod";
import { idParams } from "./common.ts";
import { planStep } from "./plans.ts";

export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

const FINDING_STATUSES = ["open", "ok", "unknown", "not_applicable"] as const;
export type FindingStatus = (typeof FINDING_STATUSES)[number];

const evidence = z
  .strictObject({
    menu: z.string().meta({ example: "/ip/service" }),
    values: z
      .record(z.string(), z.string())
      .describe("As read from the router; control characters are escaped as RouterOS writes them."),
  })
  .meta({ id: "HardeningEvidence" });

const fix = z
  .strictObject({
    steps: z.array(planStep),
    caution: z.string().nullable().describe("What else stops working."),
  })
  .meta({ id: "HardeningFix" });

const finding = z
  .strictObject({
    id: z.string().describe("Stable; a fix is requested by it.").meta({ example: "bandwidth-server" }),
    title: z.string().describe("The state it should be in."),
    severity: z.enum(SEVERITIES),
    status: z.enum(FINDING_STATUSES),
    detail: z.string().describe("The state it is in on this router."),
    evidence: z.array(evidence),
    evidence_omitted: z.int().describe("Rows that are not among the evidence because there are too many."),
    why: z.string(),
    source: z.strictObject({ title: z.string(), url: z.string() }),
    fix: fix.nullable().describe("What Portreeve would do; null where it can't or should not."),
    no_fix_reason: z.string().nullable().describe("Of an open finding without a fix: why, and what to do."),
    enforced: z.boolean().describe("Portreeve was told to fix it and keeps it fixed."),
  })
  .meta({ id: "HardeningFinding" });
export type Finding = z.infer<typeof finding>;

export const hardeningReport = z
  .strictObject({
    score: z.int().min(0).max(100),
    findings: z.array(finding),
  })
  .meta({ id: "HardeningReport" });
export type HardeningReport = z.infer<typeof hardeningReport>;

export const hardeningFixes = z
  .strictObject({
    fixes: z
      .array(z.string().max(100, "must be at most 100 characters"))
      .min(1, "must name a finding")
      .max(100, "must be at most 100 findings"),
  })
  .meta({ id: "HardeningFixes" });

export const enforcedFixes = z
  .strictObject({
    fixes: z.array(z.string()).describe("Findings whose fixes are being delivered or kept."),
    note: z.string().describe("What happens to the router now."),
  })
  .meta({ id: "EnforcedFixes" });
export type EnforcedFixes = z.infer<typeof enforcedFixes>;

/** The path `/v1/sites/{id}/hardening/{fix}`. */
export const fixParams = idParams.extend({ fix: z.string().max(100, "must be at most 100 characters") });
