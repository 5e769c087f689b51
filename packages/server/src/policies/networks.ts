/** Networks and addresses as text, IPv4 and IPv6. Pure. */
import ipaddr from "ipaddr.js";

/** A single address as a network. */
export function hostNetwork(address: string): string {
  return address.includes(":") ? `${address}/128` : `${address}/32`;
}

/** Does the second network hold all of the first? */
export function isWithin(inner: string, outer: string): boolean {
  const [address, length] = ipaddr.parseCIDR(inner);
  const [base, outerLength] = ipaddr.parseCIDR(outer);
  if (address.kind() !== base.kind() || length < outerLength) return false;
  return address.match(base as never, outerLength);
}
