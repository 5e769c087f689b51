/** Who may come through a grant's port. Pure. */
import { BlockList, isIP } from "node:net";

export interface SourceRule {
  readonly allow_only_ip: string | null;
  readonly allow_only_cidr: string | null;
  /** Private addresses may come too. */
  readonly allow_rfc1918: boolean;
}

const RFC1918 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** @returns a function that judges a source address (canonical text, IPv4 in IPv6 already reduced) */
export function admission(rule: SourceRule): (source: string) => boolean {
  const allowed = new BlockList();
  if (rule.allow_only_ip) allowed.addAddress(rule.allow_only_ip, familyOf(rule.allow_only_ip));
  for (const network of [rule.allow_only_cidr, ...(rule.allow_rfc1918 ? RFC1918 : [])]) {
    if (!network) continue;
    const [address = "", length] = network.split("/");
    allowed.addSubnet(address, Number(length), familyOf(address));
  }
  return (source) => isIP(source) !== 0 && allowed.check(source, familyOf(source));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
