/** Turns a module's routes into Fastify's: what stands here is true of every route. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Database, Trx } from "../database/index.ts";
import type { ChangingRequest, Committed, Route, RouteInput } from "../kernel/route.ts";
import type { Vault } from "../vault/index.ts";
import { CommittedAnswer, mutate } from "./mutate.ts";
import type { TypedApp } from "./typed-app.ts";

export interface MountOptions {
  readonly database: Database;
  readonly vault: Vault;
}

/** A misspelt query parameter is never silently ignored. */
const NO_PARAMETERS = z.strictObject({});
const NO_CONTENT = z.null().describe("No content");

export function mountRoute(app: TypedApp, route: Route, options: MountOptions): void {
  const { method, path, scope, tag, summary, input = {}, status = 200 } = route;
  const { params, query: querystring = NO_PARAMETERS, body } = input;
  if ((route.output === undefined) !== (status === 204)) {
    throw new TypeError(`${method} ${path} must state an output, or the status 204 and none`);
  }
  app.route({
    method,
    url: path,
    config: { scope, ...(route.withoutDatabase && { withoutDatabase: true }) },
    schema: {
      tags: [tag],
      summary,
      querystring,
      ...(params ? { params } : {}),
      ...(body ? { body } : {}),
      response: { [status]: route.output ?? NO_CONTENT },
    },
    handler: async (request, reply) => {
      // No answer below /v1 is anybody's to keep: what may hold a secret can't be told from what may not.
      reply.code(status).header("cache-control", "no-store");
      const answer = await route.run(requestOf(request, reply, status, options));
      return answer instanceof CommittedAnswer ? answer.send(reply) : answer;
    },
  });
}

function requestOf(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { database, vault }: MountOptions,
): ChangingRequest<RouteInput> {
  return {
    caller: request.caller,
    // Of the types that the route's schemas gave them: Fastify has validated all three by these schemas.
    params: request.params as never,
    query: request.query as never,
    body: request.body as never,
    signal: request.signal,
    read: (work) => database.readAsCustomer(request.caller.customerId, work),
    readRecorded: (work) => database.asCustomer(request.caller.customerId, work),
    mutate: async <T>(work: (trx: Trx) => Promise<T>, afterCommit?: () => Promise<void>) => {
      const answer = await mutate(request, reply, { database, vault, status, afterCommit }, work);
      return answer as unknown as Committed<T>;
    },
  };
}
