import type { RouterOsVersion } from "@portreeve/routeros";
import { plan } from "../reconcile/plan.ts";
import type { DesiredMenu, Observed, Step } from "../reconcile/types.ts";
import { simulate } from "./simulate.ts";

/** A plan whose steps were not all possible at once (services pass ports on in a ring) is made again: twice is usual. */
const MAX_PLANS = 5;

/**
 * What reconciling would do, to its end: each plan made from the rows the one before it leads to. Pure.
 * @param desired what is wanted, given what is there
 * @returns the steps in order, those that are only reported first, and the rows afterwards
 * @throws PlanError a row that is wanted can't exist on this router
 */
export function predictPlan(
  desired: (observed: Observed) => readonly DesiredMenu[],
  observed: Observed,
  version: RouterOsVersion,
): { steps: Step[]; after: Observed } {
  const steps = plan(desired(observed), observed, version).steps.filter(({ reportOnly }) => reportOnly);
  let after = observed;
  for (let n = 0; n < MAX_PLANS; n += 1) {
    // What can't be simulated (a certificate that is to be signed) is wanted again and again.
    const known = new Set(steps.map(({ text }) => text));
    const due = plan(desired(after), after, version).steps.filter(
      (step) => !step.reportOnly && !known.has(step.text),
    );
    if (due.length === 0) break;
    steps.push(...due);
    after = simulate(after, due);
  }
  return { steps, after };
}
