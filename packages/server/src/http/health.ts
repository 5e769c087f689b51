import type { FastifyInstance } from "fastify";
import type { FieldErrors } from "../kernel/errors.ts";
import { NotReadyError } from "./errors.ts";

/** @returns why this part does not work yet, or undefined when it does; what it throws is a reason too */
export type ReadinessCheck = () => Promise<string | undefined>;

/** A check that does not answer counts as failed, milliseconds. */
const CHECK_TIMEOUT_MS = 5_000;

/** `/healthz`: the process lives. `/readyz`: every part works, or 503 with the reason of each that does not. */
export function reportHealth(app: FastifyInstance, checks: Readonly<Record<string, ReadinessCheck>>): void {
  const options = { config: { unlimited: true }, schema: { hide: true } };
  app.get("/healthz", options, async () => ({ status: "ok" }));
  app.get("/readyz", options, async () => {
    const reasons = await Promise.all(
      Object.entries(checks).map(async ([part, check]) => [part, await reasonAgainst(check)] as const),
    );
    const errors: FieldErrors = {};
    for (const [part, reason] of reasons) if (reason !== undefined) errors[part] = [reason];
    if (Object.keys(errors).length > 0) throw new NotReadyError(errors);
    return { status: "ready" };
  });
}

async function reasonAgainst(check: ReadinessCheck): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, CHECK_TIMEOUT_MS, "does not answer");
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return error instanceof Error ? error.message : "failed";
  } finally {
    clearTimeout(timer);
  }
}
