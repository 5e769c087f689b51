import type { FastifyInstance } from "fastify";
import type { FieldErrors } from "../kernel/errors.ts";
import { NotReadyError } from "./errors.ts";

/** What does not work at the moment, in words, by the part of Portreeve it concerns. */
export type FindProblems = () => Promise<Readonly<Record<string, string>>>;

/** Parts that are not heard of in this time count as not working, milliseconds. */
const CHECK_TIMEOUT_MS = 5_000;

/** `/healthz`: the process lives. `/readyz`: every part works, or 503 with the reason of each that does not. */
export function reportHealth(app: FastifyInstance, findProblems: FindProblems): void {
  const options = { config: { unlimited: true }, schema: { hide: true } };
  app.get("/healthz", options, async () => ({ status: "ok" }));
  app.get("/readyz", options, async () => {
    const problems = Object.entries(await inTime(findProblems));
    const errors: FieldErrors = {};
    for (const [part, reason] of problems) errors[part] = [reason];
    if (problems.length > 0) throw new NotReadyError(errors);
    return { status: "ready" };
  });
}

async function inTime(findProblems: FindProblems): ReturnType<FindProblems> {
  const { promise: late, resolve } = Promise.withResolvers<Readonly<Record<string, string>>>();
  const timer = setTimeout(resolve, CHECK_TIMEOUT_MS, { server: "does not answer" });
  try {
    return await Promise.race([findProblems(), late]);
  } catch (error) {
    return { server: error instanceof Error ? error.message : "failed" };
  } finally {
    clearTimeout(timer);
  }
}
