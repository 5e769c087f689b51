import { BlockList, isIP } from "node:net";

/**
 * @param networks in CIDR notation
 * @returns a function that judges a source address (canonical text, IPv4 in IPv6 already reduced)
 */
export function admission(networks: readonly string[]): (source: string) => boolean {
  // A list each: one BlockList would find an IPv4 address in the IPv6 network of all mapped ones.
  const allowed = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = "", length] = network.split("/");
    const family = familyOf(address);
    allowed[family].addSubnet(address, Number(length), family);
  }
  return (source) => isIP(source) !== 0 && allowed[familyOf(source)].check(source, familyOf(source));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
