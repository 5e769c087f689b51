/**
 * The listener each process has for its own kind and for whoever watches over it, never for the public: liveness,
 * readiness, and what other processes ask it. No token is asked for, so nothing secret is to be said here.
 */
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { type ReadinessCheck, reportHealth } from "./health.ts";
import { sendProblem } from "./problem.ts";

/** What is asked by a POST of JSON and answered with JSON; what it throws is answered 500. */
export interface InternalAnswer {
  readonly path: string;
  readonly answer: (body: unknown) => unknown;
}

export interface InternalAppOptions {
  readonly log: FastifyBaseLogger;
  readonly readiness: Readonly<Record<string, ReadinessCheck>>;
  readonly answers: readonly InternalAnswer[];
}

/** Build it; the caller awaits `listen` and `close`. */
export function buildInternalApp({ log, readiness, answers }: InternalAppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    requestTimeout: 5_000,
  });
  app.setErrorHandler(sendProblem);
  reportHealth(app, readiness);
  for (const { path, answer } of answers) app.post(path, async ({ body }) => answer(body));
  return app;
}
