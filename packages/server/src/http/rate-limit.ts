/**
 * How often somebody may ask. Counted by token once the token has proved good, by address before that: tokens made up
 * on the spot share the rate of the address they come from.
 */
import { hash } from "node:crypto";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";
import { callerAddress } from "./address.ts";
import { bearerToken } from "./authentication.ts";
import { RateLimitedError } from "./errors.ts";

/** Requests a minute from one token or address: a hundred a second is more than a busy portal and a script need. */
export const DEFAULT_REQUESTS_PER_MINUTE = 6_000;
/** Tokens remembered as good, about 100 bytes each; the oldest are forgotten first and count by address once more. */
const MAX_KNOWN_TOKENS = 10_000;
/** 16-bit groups of the network a caller is counted by: one household usually has a whole /64. */
const IPV6_PREFIX_GROUPS = 4;

export function limitRate(app: FastifyInstance, requestsPerMinute: number): void {
  const known = new Map<string, string>();
  app.register(rateLimit, { global: false, cache: MAX_KNOWN_TOKENS });
  let check: ReturnType<FastifyInstance["createRateLimit"]> | undefined;
  app.addHook("onReady", async () => {
    check = app.createRateLimit({
      max: requestsPerMinute,
      timeWindow: 60_000,
      keyGenerator: (request) => known.get(digestOf(request)) ?? groupOf(callerAddress(request)),
    });
  });
  app.addHook("onRequest", async (request, reply) => {
    if (check && !request.routeOptions.config?.unlimited) await count(check, request, reply);
  });
  app.addHook("onResponse", async (request) => {
    if (request.caller) remember(known, digestOf(request), `token ${request.caller.tokenId}`);
  });
}

async function count(
  check: ReturnType<FastifyInstance["createRateLimit"]>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const state = await check(request);
  if (state.isAllowed) return;
  reply.headers({
    "x-ratelimit-limit": state.max,
    "x-ratelimit-remaining": state.remaining,
    "x-ratelimit-reset": state.ttlInSeconds,
  });
  if (!state.isExceeded) return;
  reply.header("retry-after", state.ttlInSeconds);
  throw new RateLimitedError(state.ttlInSeconds);
}

function digestOf(request: FastifyRequest): string {
  const token = bearerToken(request);
  return token === undefined ? "" : hash("sha256", token, "base64");
}

function remember(known: Map<string, string>, digest: string, key: string): void {
  known.delete(digest);
  known.set(digest, key);
  const [oldest] = known.size > MAX_KNOWN_TOKENS ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
}

function groupOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return `address ${address}`;
  return `address ${ipaddr.IPv6.parse(address).parts.slice(0, IPV6_PREFIX_GROUPS).join(":")}`;
}
