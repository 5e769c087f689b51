import type { PlanStep } from "@portreeve/api-schema";
import { type Step, valuesBefore } from "../reconcile/index.ts";

/** Steps as the API shows them: chosen fields, secrets by name only. */
export function presentSteps(steps: readonly Step[]): PlanStep[] {
  return steps.map(({ menu, command, target, values, secrets, text, inverse }) => ({
    menu,
    command,
    target: command === "add" ? null : target.key,
    values: { ...values, ...Object.fromEntries(Object.keys(secrets).map((name) => [name, "[hidden]"])) },
    before: valuesBefore({ command, inverse }) ?? null,
    text,
  }));
}
