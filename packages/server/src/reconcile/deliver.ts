import type { RouterClient } from "@portreeve/routeros";
import { isUnknown, StepError } from "./errors.ts";
import type { Step } from "./types.ts";

/**
 * Send a plan as API sentences: step by step, stopping at the first refusal. Steps that touch the way in come last
 * and are sent in one go, since the first of them may cut the connection; a reply that never comes leaves their
 * effect unknown, and whoever verifies finds out.
 * @throws StepError the router refused a step; those before it stay applied
 */
export async function deliver(
  steps: readonly Step[],
  client: RouterClient,
  signal: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    if (!step.touchesWayIn) await send(step, client, signal);
  }
  const last = steps.filter((step) => step.touchesWayIn).map((step) => send(step, client, signal));
  for (const result of await Promise.allSettled(last)) {
    if (result.status === "rejected" && !isUnknown((result.reason as StepError).cause)) throw result.reason;
  }
}

async function send(step: Step, client: RouterClient, signal: AbortSignal): Promise<void> {
  try {
    await sentence(step, client, signal);
  } catch (error) {
    throw new StepError(step, error);
  }
}

function sentence(
  { menu, command, target, values, secrets }: Step,
  client: RouterClient,
  signal: AbortSignal,
) {
  const revealed = Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]);
  switch (command) {
    case "add":
      return client.add(menu, { ...values, ...Object.fromEntries(revealed) }, { signal });
    case "set":
      return client.set(menu, target.id, { ...values }, { signal });
    default:
      return client.call(`${menu}/${command}`, { ".id": target.id ?? target.key }, { signal });
  }
}
