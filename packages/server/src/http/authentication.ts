/** Who asks, and may the token do this? Answered before a byte of the body is read. */
import type { Scope } from "@portreeve/api-schema";
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { requireScope } from "../authorization/index.ts";
import type { TokenHolder } from "../kernel/actor.ts";
import { UnauthenticatedError } from "../kernel/errors.ts";
import { callerAddress } from "./address.ts";

/** Everything below this path needs a token; everything else is public. */
const PROTECTED = /^\/v1(\/|$)/;

/**
 * @returns whose token this is, or undefined for one that is unknown, expired or revoked
 * @param withoutDatabase take what is known from a recent request where the database does not answer
 */
export type Authenticate = (
  token: string,
  options: { withoutDatabase: boolean },
) => Promise<TokenHolder | undefined>;

/** Guards every route below /v1, and makes one without a scope an error when the server starts. */
export function guardRoutes(app: FastifyInstance, authenticate: Authenticate): void {
  app.decorateRequest("caller");
  app.addHook("onRoute", requireStatedScope);
  app.addHook("onRequest", async (request) => {
    // The matched route and not the sent path: no spelling of a path gets around it.
    const { url, config } = request.routeOptions;
    if (!PROTECTED.test(url ?? "") || config.ownAuthentication) return;
    const token = bearerToken(request);
    const withoutDatabase = config.withoutDatabase ?? false;
    const holder = token === undefined ? undefined : await authenticate(token, { withoutDatabase });
    if (!holder) throw new UnauthenticatedError();
    request.caller = { ...holder, address: callerAddress(request) };
    requireScope(request.caller, statedScope(request.routeOptions));
  });
}

/** @returns the token sent, or undefined when there is none or the header has another form */
export function bearerToken(request: FastifyRequest): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? "")?.[1];
}

function requireStatedScope(route: RouteOptions & { url: string }): void {
  if (PROTECTED.test(route.url) && !route.config?.ownAuthentication) statedScope(route);
}

function statedScope({
  method,
  url,
  config,
}: Pick<RouteOptions, "method" | "config"> & { url?: string | undefined }): Scope {
  if (config?.scope !== undefined) return config.scope;
  throw new TypeError(`${method} ${url} states no scope: add config: { scope: "…" } to the route`);
}
