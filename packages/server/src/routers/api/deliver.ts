import { setTimeout as delay } from "node:timers/promises";
import { type RouterClient, TrapError } from "@portreeve/routeros";
import { checkLease } from "../../database/index.ts";
import { isUnknown, type SecretReference, type Step, StepError } from "../../reconcile/index.ts";
import type { Secret } from "../../vault/index.ts";

/** How long one step that touches the management path may take to answer, milliseconds: its reply may be cut off by itself. */
const MANAGEMENT_PATH_TIMEOUT_MS = 10_000;

/** What makes a key takes a small processor a while; milliseconds. */
const KEY_TIMEOUT_MS = 5 * 60_000;

/**
 * A certificate can be named only a moment after it was signed (MikroTik manual, "REST API"): how often it is tried
 * again, and after how many milliseconds each time. With the time a new login may take it is less than a rollback timer has.
 */
const LATE_CERTIFICATE = { retries: 50, pauseMs: 500 };

export interface DeliveryContext {
  readonly signal: AbortSignal;
  /** What a step's secrets are: asked for when it is sent. */
  readonly open: (reference: SecretReference) => Promise<Secret>;
}

interface SendOptions extends DeliveryContext {
  readonly timeoutMs?: number;
}

/**
 * Send steps as API sentences, one after the other, stopping at the first refusal.
 * @throws StepError the router refused a step; those before it stay applied
 */
export async function deliver(
  steps: readonly Step[],
  client: RouterClient,
  context: DeliveryContext,
): Promise<void> {
  for (const step of steps) await send(step, client, context);
}

/**
 * Send steps that touch the management path, all at once, since the first of them may cut the connection. A reply that never
 * comes leaves their effect unknown, and whoever verifies finds out.
 * @throws StepError the router refused one; the others may be applied
 */
export async function deliverAtOnce(
  steps: readonly Step[],
  client: RouterClient,
  context: DeliveryContext,
): Promise<void> {
  const options = { ...context, timeoutMs: MANAGEMENT_PATH_TIMEOUT_MS };
  // Opened before the first is sent: a secret that can't be had must not leave half of them delivered.
  const revealed = await Promise.all(steps.map((step) => reveal(step, context)));
  const sent = steps.map((step, i) => send(step, client, options, revealed[i]));
  for (const result of await Promise.allSettled(sent)) {
    if (result.status === "rejected" && !isUnknown((result.reason as StepError).cause)) throw result.reason;
  }
}

async function send(
  step: Step,
  client: RouterClient,
  options: SendOptions,
  opened?: Revealed,
): Promise<void> {
  const revealed = opened ?? (await reveal(step, options));
  for (let tries = 0; ; tries++) {
    checkLease();
    try {
      await sentence(step, client, revealed, options);
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

type Revealed = Readonly<Record<string, string>>;

async function reveal({ secrets }: Step, { open }: DeliveryContext): Promise<Revealed> {
  const opened = Object.entries(secrets).map(async ([name, reference]) => [
    name,
    (await open(reference)).reveal(),
  ]);
  return Object.fromEntries(await Promise.all(opened));
}

function sentence(
  { menu, command, target, values }: Step,
  client: RouterClient,
  revealed: Revealed,
  { signal, timeoutMs }: SendOptions,
) {
  const options = { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  switch (command) {
    case "add":
      return client.add(menu, { ...values, ...revealed }, options);
    case "set":
      return client.set(menu, target.id, { ...values }, options);
    case "move":
      return client.call(`${menu}/move`, { numbers: target.id ?? "", ...values }, options);
    case "sign":
    case "create-certificate-request":
    case "import":
      return client.call(
        `${menu}/${command}`,
        { ...values, ...revealed },
        { ...options, timeoutMs: KEY_TIMEOUT_MS },
      );
    default:
      return client.call(`${menu}/${command}`, { ".id": target.id ?? target.key }, options);
  }
}
