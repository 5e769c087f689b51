/**
 * Where a check leaves from. The policy lets Portreeve in everywhere, so a look from the management address would see
 * every service open; the point is to see what others see.
 */
import { createSocket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

export interface Source {
  /** An address of this host. */
  readonly localAddress: string;
  /** What the site sees us come from, as far as this host knows: an address translation on the way is not seen. */
  readonly seenAs: string;
}

export interface Ways {
  /** The management address, where this host has it: connections to routers leave from it. */
  readonly ownAddress: string | undefined;
  /** The address that the router sees those come from. */
  readonly managementAddress: string;
}

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/**
 * @param host an IP address
 * @throws when there is no route to it
 */
export async function sourceFor(host: string, ways: Ways): Promise<Source> {
  return chooseSource(await routedAddress(host), ways, networkInterfaces());
}

/**
 * The address the kernel takes, unless that is the one management leaves from; then another one of the same
 * interface; where there is none, that one after all.
 * @param routed the address that the kernel takes for this destination
 */
export function chooseSource(routed: string, ways: Ways, interfaces: Interfaces): Source {
  const { ownAddress, managementAddress } = ways;
  const regular = ownAddress !== undefined && isIP(ownAddress) === isIP(routed) ? ownAddress : routed;
  if (routed !== regular) return { localAddress: routed, seenAs: routed };
  const here = Object.values(interfaces).find((all) => all?.some(({ address }) => address === routed)) ?? [];
  const other = here.find(({ address }) => {
    return address !== routed && isIP(address) === isIP(routed) && !/^fe[89ab]/i.test(address);
  });
  if (other) return { localAddress: other.address, seenAs: other.address };
  return { localAddress: routed, seenAs: managementAddress };
}

/** A datagram socket that is connected tells its own address; nothing is sent. */
async function routedAddress(host: string): Promise<string> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("error", reject);
    socket.connect(9, host, resolve);
    await promise;
    return socket.address().address;
  } finally {
    socket.close();
  }
}
