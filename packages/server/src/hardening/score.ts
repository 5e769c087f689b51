import type { FindingStatus, Severity } from "@portreeve/api-schema";

/** What a finding counts for, by its severity. */
export const WEIGHTS: Readonly<Record<Severity, number>> = {
  critical: 40,
  high: 20,
  medium: 8,
  low: 3,
  info: 0,
};

interface Evaluated {
  readonly severity: Severity;
  readonly status: FindingStatus;
}

/**
 * 0 to 100: the weight of what is as it ought to be, of all that could be evaluated, rounded down so that 100 means
 * nothing is open. What is unknown or does not apply counts neither way; 0 where nothing could be evaluated.
 */
export function scoreOf(findings: readonly Evaluated[]): number {
  const weightOf = (...statuses: FindingStatus[]) =>
    findings
      .filter(({ status }) => statuses.includes(status))
      .reduce((sum, { severity }) => sum + WEIGHTS[severity], 0);
  const evaluated = weightOf("ok", "open");
  return evaluated === 0 ? 0 : Math.floor((100 * weightOf("ok")) / evaluated);
}
