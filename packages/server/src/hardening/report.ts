/** The report: every check evaluated on the rows that were read, with what would be done about it. Pure. */
import type { Finding, HardeningReport } from "@portreeve/api-schema";
import type { RouterOsVersion } from "@portreeve/routeros";
import { plan } from "../reconcile/index.ts";
import { presentSteps } from "../sites/index.ts";
import { CHECKS } from "./checks/index.ts";
import type { RowsRead } from "./rows.ts";
import { scoreOf } from "./score.ts";
import { shownDetail, shownEvidence } from "./text.ts";
import type { Check, Evaluation, Fix, RouterView, SiteView } from "./types.ts";

export interface ReportInput {
  readonly read: RowsRead;
  readonly version: RouterOsVersion;
  readonly now: Date;
  readonly site: SiteView;
  /** Findings whose fixes Portreeve was told to keep. */
  readonly enforced: ReadonlySet<string>;
}

export function reportOf(input: ReportInput): HardeningReport {
  const observed = new Map(
    [...input.read].flatMap(([menu, read]) => ("rows" in read ? [[menu, read.rows]] : [])),
  );
  const router: RouterView = {
    ...input,
    observed,
    rows: (menu) => observed.get(menu) ?? [],
  };
  const findings = CHECKS.map((check) => findingOf(check, router, input));
  return { score: scoreOf(findings), findings };
}

function findingOf(check: Check, router: RouterView, { read, enforced }: ReportInput): Finding {
  const { id, title, severity, why, source } = check;
  const evaluation = unreadable(check, read) ?? check.evaluate(router);
  const { shown, omitted } = shownEvidence(evaluation.evidence ?? []);
  return {
    id,
    title,
    severity,
    status: evaluation.status,
    detail: shownDetail(evaluation.detail),
    evidence: shown,
    evidence_omitted: omitted,
    why,
    source,
    ...remedyOf(check, evaluation, router),
    enforced: enforced.has(id),
  };
}

/** Without the rows there is nothing to evaluate. */
function unreadable({ reads }: Check, read: RowsRead): Evaluation | undefined {
  for (const menu of reads) {
    const result = read.get(menu);
    if (result && "refused" in result)
      return { status: "unknown", detail: `The router refuses ${menu}: ${result.refused}` };
    if (!result || "absent" in result)
      return { status: "not_applicable", detail: `This router has no ${menu}.` };
  }
  return undefined;
}

function remedyOf(
  { fix }: Check,
  { status, noFix }: Evaluation,
  { observed, version }: RouterView,
): Pick<Finding, "fix" | "no_fix_reason"> {
  if (status === "ok" || status === "not_applicable") return { fix: null, no_fix_reason: null };
  if (noFix !== undefined) return { fix: null, no_fix_reason: shownDetail(noFix) };
  if (typeof fix === "string") return { fix: null, no_fix_reason: fix };
  if (status === "unknown")
    return { fix: null, no_fix_reason: "It is not known whether there is anything to fix." };
  const { steps } = plan(fix.desired(), observed, version);
  return { fix: { steps: presentSteps(steps), caution: cautionOf(fix) }, no_fix_reason: null };
}

const cautionOf = ({ caution }: Fix): string | null => caution ?? null;
