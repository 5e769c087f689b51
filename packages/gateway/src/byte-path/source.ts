import ipaddr from "ipaddr.js";

/**
 * Canonical text of a socket's remote address, so that it can be compared: IPv6 as in RFC 5952, and
 * `::ffff:192.0.2.1`, which a listener on `::` sees for an IPv4 client, as `192.0.2.1`.
 */
export function canonicalAddress(remoteAddress: string): string {
  return ipaddr.process(remoteAddress).toString();
}
