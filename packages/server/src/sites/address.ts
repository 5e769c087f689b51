/**
 * Where Portreeve may connect to. A site's address comes from a user, so it must not become a way to reach this
 * machine, its neighbours' link-local services or a cloud's metadata service.
 */
import { BlockList, isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { nameResolver, type Resolver } from "./resolver.ts";

const ALWAYS_REFUSED: readonly [string, number, "ipv4" | "ipv6"][] = [
  ["0.0.0.0", 8, "ipv4"], // "this host"
  ["169.254.0.0", 16, "ipv4"], // link-local, metadata services
  ["100.100.100.200", 32, "ipv4"], // a metadata service outside link-local
  ["224.0.0.0", 3, "ipv4"], // multicast, reserved, broadcast
  ["::", 128, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
  ["fd00:ec2::254", 128, "ipv6"], // a metadata service
  ["64:ff9b::", 96, "ipv6"], // NAT64: an IPv4 address in disguise
  ["2002::", 16, "ipv6"], // 6to4: the same
];
const LOOPBACK: readonly [string, number, "ipv4" | "ipv6"][] = [
  ["127.0.0.0", 8, "ipv4"],
  ["::1", 128, "ipv6"],
];

export class AddressRefusedError extends Error {
  override readonly name = "AddressRefusedError";
}

export class AddressRules {
  readonly #refused = new BlockList();
  readonly #resolver: Resolver;

  /** @param resolver how names become addresses; the system's name servers unless given */
  constructor({ allowLoopback, resolver = nameResolver() }: { allowLoopback: boolean; resolver?: Resolver }) {
    this.#resolver = resolver;
    for (const [net, length, family] of [...ALWAYS_REFUSED, ...(allowLoopback ? [] : LOOPBACK)]) {
      this.#refused.addSubnet(net, length, family);
    }
  }

  /**
   * Check an address or host name as written, without asking the network.
   * @returns what is wrong with it, or undefined
   */
  problemWith(address: string): string | undefined {
    if (isIP(address))
      return this.#refuses(address)
        ? "must not be a loopback, link-local, multicast or metadata address"
        : undefined;
    const labels = address.toLowerCase().split(".");
    const wellFormed = labels.every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label));
    // A last label of digits (127.1, 0x7f.1, 2130706433) is another spelling of an IPv4 address, not a name.
    const last = labels.at(-1) ?? "";
    if (!wellFormed || /^(\d+|0x[0-9a-f]*)$/.test(last))
      return "must be an IP address such as 192.0.2.1 or a host name";
    if (last === "localhost") return "must not be this machine";
    return undefined;
  }

  /**
   * The one address to connect to: resolved once and checked after resolution, so that a name can't resolve to another one later.
   * @throws AddressRefusedError, or the resolver's error
   */
  async resolve(address: string, resolver: Resolver = this.#resolver): Promise<string> {
    const problem = this.problemWith(address);
    if (problem) throw new AddressRefusedError(`address ${problem}`);
    if (isIP(address)) return address;
    const found = await resolver(address);
    const refused = found.find((entry) => this.#refuses(entry.address));
    if (refused) throw new AddressRefusedError(`${address} resolves to ${refused.address}, which is refused`);
    const [first] = found;
    if (!first) throw new AddressRefusedError(`${address} has no address`);
    return first.address;
  }

  #refuses(address: string): boolean {
    const plain = ipaddr.process(address.split("%")[0] as string); // v4-mapped IPv6 is evaluated as the IPv4 it means
    return this.#refused.check(plain.toString(), plain.kind());
  }
}
