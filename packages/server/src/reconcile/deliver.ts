import { setTimeout as delay } from "node:timers/promises";
import { type RouterClient, TrapError } from "@portreeve/routeros";
import { checkLease } from "../database/index.ts";
import { isUnknown, StepError } from "./errors.ts";
import type { Step } from "./types.ts";

/** How long one step that touches the management path may take to answer, milliseconds: its reply may be cut off by itself. */
const MANAGEMENT_PATH_TIMEOUT_MS = 10_000;

/** What makes a key takes a small processor a while; milliseconds. */
const KEY_TIMEOUT_MS = 5 * 60_000;

/**
 * A certificate can be named only a moment after it was signed (MikroTik manual, "REST API"): how often it is tried
 * again, and after how many milliseconds each time. With the time a new login may take it is less than a rollback timer has.
 */
const LATE_CERTIFICATE = { retries: 50, pauseMs: 500 };

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
 * Send steps that touch the management path, all at once, since the first of them may cut the connection. A reply that never
 * comes leaves their effect unknown, and whoever verifies finds out.
 * @throws StepError the router refused one; the others may be applied
 */
export async function deliverAtOnce(
  steps: readonly Step[],
  client: RouterClient,
  signal: AbortSignal,
): Promise<void> {
  const sent = steps.map((step) => send(step, client, { signal, timeoutMs: MANAGEMENT_PATH_TIMEOUT_MS }));
  for (const result of await Promise.allSettled(sent)) {
    if (result.status === "rejected" && !isUnknown((result.reason as StepError).cause)) throw result.reason;
  }
}

async function send(step: Step, client: RouterClient, options: SendOptions): Promise<void> {
  for (let tries = 0; ; tries++) {
    checkLease();
    try {
      await sentence(step, client, options);
      return;
    } catch (error) {
      if (!namesLateCertificate(step, error) || tries === LATE_CERTIFICATE.retries)
        throw new StepError(step, error);
    }
    await delay(LATE_CERTIFICATE.pauseMs, undefined, { signal: options.signal });
  }
}

function namesLateCertificate({ values }: Step, error: unknown): boolean {
  const refusal = "input does not match any value of certificate";
  return values.certificate !== undefined && error instanceof TrapError && error.message.startsWith(refusal);
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
    case "sign":
    case "create-certificate-request":
    case "import":
      return client.call(
        `${menu}/${command}`,
        { ...values, ...Object.fromEntries(revealed) },
        { ...options, timeoutMs: KEY_TIMEOUT_MS },
      );
    default:
      return client.call(`${menu}/${command}`, { ".id": target.id ?? target.key }, options);
  }
}
