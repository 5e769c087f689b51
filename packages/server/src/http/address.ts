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
  const version = isIP(address);
  if (version === 0) return "unknown";
  // Node takes one spelling of IPv4 only: nothing to rewrite, and this runs for every request.
  return version === 4 ? address : ipaddr.process(address).toString();
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}
