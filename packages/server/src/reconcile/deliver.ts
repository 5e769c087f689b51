import type { RouterClient } from "@portreeve/routeros";
import { isUnknown, StepError } from "./errors.ts";
import type { Step } from "./types.ts";

/** How long one step that touches the way in may take to answer, milliseconds: its reply may be cut off by itself. */
const WAY_IN_TIMEOUT_MS = 10_000;

interface SendOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * Send steps as API sentences, one after the other, stopping at the first refusal.
 * @throws StepError the router refused a step; those before it stay applied
 */
export async function deliver(
  steps: readonly Step[],
  client: RouterClient,
  signal: AbortSignal,
): Promise<void> {
  for (const step of steps) await send(step, client, { signal });
}

/**
 * Send steps that touch the way in, all at once, since the first of them may cut the connection. A reply that never
 * comes leaves their effect unknown, and whoever verifies finds out.
 * @throws StepError the router refused one; the others may be applied
 */
export async function deliverAtOnce(
  steps: readonly Step[],
  client: RouterClient,
  signal: AbortSignal,
): Promise<void> {
  const sent = steps.map((step) => send(step, client, { signal, timeoutMs: WAY_IN_TIMEOUT_MS }));
  for (const result of await Promise.allSettled(sent)) {
    if (result.status === "rejected" && !isUnknown((result.reason as StepError).cause)) throw result.reason;
  }
}

async function send(step: Step, client: RouterClient, options: SendOptions): Promise<void> {
  try {
    await sentence(step, client, options);
  } catch (error) {
    throw new StepError(step, error);
  }
}

function sentence(
  { menu, command, target, values, secrets }: Step,
  client: RouterClient,
  options: SendOptions,
) {
  const revealed = Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]);
  switch (command) {
    case "add":
      return client.add(menu, { ...values, ...Object.fromEntries(revealed) }, options);
    case "set":
      return client.set(menu, target.id, { ...values }, options);
    case "move":
      return client.call(`${menu}/move`, { numbers: target.id ?? "", ...values }, options);
    default:
      return client.call(`${menu}/${command}`, { ".id": target.id ?? target.key }, options);
  }
}
