import type { Plan as PlanAnswer } from "@portreeve/api-schema";
import { type Plan, valuesBefore } from "../reconcile/index.ts";

/** A plan as the API shows it; secrets by name only. */
export function presentPlan({ steps }: Plan): PlanAnswer {
  return {
    steps: steps.map(({ menu, command, target, values, secrets, text, ...step }) => ({
      menu,
      command,
      target: command === "add" ? null : target.key,
      values: { ...values, ...Object.fromEntries(Object.keys(secrets).map((name) => [name, "[hidden]"])) },
      before: valuesBefore({ command, ...step }) ?? null,
      text,
    })),
  };
}
