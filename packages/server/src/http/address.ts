import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";

/**
 * Where the request comes from, in the usual spelling: IPv4 also when the socket shows it mapped into IPv6.
 * `X-Forwarded-For` has been considered by Fastify, when the configured proxies stand between us and the caller.
 */
export function callerAddress(request: FastifyRequest): string {
  const claimed = withoutZone(request.ip);
  // A trusted proxy may pass on whatever its client wrote; what is no address counts as none.
  const address = isIP(claimed) ? claimed : withoutZone(request.socket.remoteAddress ?? "");
  return isIP(address) ? ipaddr.process(address).toString() : "unknown";
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}
