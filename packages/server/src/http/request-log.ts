import type { FastifyInstance, FastifyRequest } from "fastify";
import { callerAddress } from "./address.ts";

/** Paths of people who probe for holes can be long. */
const MAX_PATH_CHARACTERS = 200;

/** One line per answered request: no headers, no bodies, no query strings, so nothing secret can be in it. */
export function logRequests(app: FastifyInstance): void {
  app.addHook("onResponse", async (request, reply) => {
    const level = request.routeOptions.config?.unlimited ? "debug" : "info";
    request.log[level](
      {
        method: request.method,
        path: pathOf(request).slice(0, MAX_PATH_CHARACTERS),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        address: callerAddress(request),
        ...(request.caller ? { customer: request.caller.customerId, caller: request.caller.tokenId } : {}),
      },
      "request",
    );
  });
}

/** The path sent, without its query string. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}
