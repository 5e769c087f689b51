/**
 * The HTTP server. A request passes, in this order: headers and rate, authentication and scope, body, validation by
 * the route's schemas, the route itself; whatever any of them throws becomes one problem answer.
 */
import { randomUUID } from "node:crypto";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { Database } from "../database/index.ts";
import type { Route } from "../kernel/route.ts";
import type { Vault } from "../vault/index.ts";
import { type Authenticate, guardRoutes } from "./authentication.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import { documentApi } from "./documentation.ts";
import { type FindProblems, reportHealth } from "./health.ts";
import { readJsonBodies } from "./json-body.ts";
import { mountRoute } from "./mount.ts";
import { addSecurityHeaders, servePortal } from "./pages.ts";
import { sendProblem } from "./problem.ts";
import { DEFAULT_REQUESTS_PER_MINUTE, limitRate } from "./rate-limit.ts";
import { logRequests } from "./request-log.ts";
import type { TypedApp } from "./typed-app.ts";
import { refuseUnknownRoutes } from "./unknown-routes.ts";
import { validatorCompiler } from "./validation.ts";

/** Largest request body, bytes. */
const BODY_LIMIT = 1024 * 1024;
/** A request that has not arrived whole by then is dropped, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface AppOptions {
  log: FastifyBaseLogger;
  database: Database;
  vault: Vault;
  authenticate: Authenticate;
  /** Everything below /v1. */
  routes: readonly Route[];
  /** What is no route of people's: the control endpoint of gateways. */
  plugins?: readonly ((app: FastifyInstance) => Promise<void>)[];
  /** What does not work, for /readyz. */
  problems?: FindProblems;
  /** Directory of the portal's files. */
  portalRoot?: string;
  /** Addresses or networks of proxies whose X-Forwarded-For is believed. None unless given. */
  trustedProxies?: readonly string[];
  /** From one token, or one address without a good token; 6000 unless given. */
  requestsPerMinute?: number;
}

/** Build the server; the caller awaits `listen` (or `ready`) and `close`. */
export function buildApp(options: AppOptions): TypedApp {
  const app: TypedApp = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    return503OnClosing: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  readJsonBodies(app);
  logRequests(app);
  addSecurityHeaders(app);
  limitRate(app, options.requestsPerMinute ?? DEFAULT_REQUESTS_PER_MINUTE);
  guardRoutes(app, options.authenticate);
  refuseUnknownRoutes(app);
  servePortal(app, options.portalRoot);
  // Plugins watch routes being added, so the routes come in a plugin of their own, after them.
  documentApi(app);
  app.register(async (routes) => {
    reportHealth(routes, options.problems ?? (async () => ({})));
    for (const route of options.routes) mountRoute(routes as TypedApp, route, options);
    for (const plugin of options.plugins ?? []) await plugin(routes);
  });
  return app;
}
