/**
 * The listener each process has for its own kind and for whoever watches over it, never for the public: liveness,
 * readiness, and what other processes ask it. No token is asked for, so nothing secret is to be said here.
 */
import Fastify, { type FastifyBaseLogger, LogController } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { type ReadinessCheck, reportHealth } from "./health.ts";
import { sendProblem } from "./problem.ts";
import type { HttpModule, TypedApp } from "./typed-app.ts";
import { validatorCompiler } from "./validation.ts";

export interface InternalAppOptions {
  readonly log: FastifyBaseLogger;
  readonly readiness: Readonly<Record<string, ReadinessCheck>>;
  readonly modules: readonly HttpModule[];
}

/** Build it; the caller awaits `listen` and `close`. */
export function buildInternalApp({ log, readiness, modules }: InternalAppOptions): TypedApp {
  const app: TypedApp = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    requestTimeout: 5_000,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  app.register(async (routes) => {
    reportHealth(routes, readiness);
    for (const module of modules) await module(routes as TypedApp);
  });
  return app;
}
