/** Field types that several resources share. */
import ipaddr from "ipaddr.js";
import { z } from "zod";

export const uuid = z.guid("must be a UUID");
export const managementTransport = z.enum(["api", "api-ssl"]);
export type ManagementTransport = z.infer<typeof managementTransport>;

/** ISO 8601, UTC: the form of every resource that is ours. */
export const isoTime = z.string().meta({ example: "2026-11-22T18:23:11.000Z" });
/** The form the control-plane API has always had, UTC. */
export const documentTime = z.string().meta({ example: "08 Nov 2023 18:23:11" });

/** An IPv4 or IPv6 network. A bare address becomes a /32 or /128; bits beyond the prefix are refused. */
export const network = z
  .string()
  .transform((text, context) => {
    const parsed = parseNetwork(text.trim());
    if ("network" in parsed) return parsed.network;
    context.addIssue({ code: "custom", message: parsed.problem });
    return z.NEVER;
  })
  .meta({ example: "10.0.0.0/8" });

export const networkList = z.array(network).max(100, "must be at most 100 networks");

/**
 * @returns the network in its usual spelling, or what is wrong with the text and what to write instead
 */
export function parseNetwork(text: string): { network: string } | { problem: string } {
  const [addressText = "", lengthText, ...rest] = text.split("/");
  // isValidFourPartDecimal: the other spellings of IPv4 (127.1, 0x7f.1, octal) mean different things to different
  // programs; zone ids have no place in a list a router keeps.
  const valid =
    ipaddr.IPv4.isValidFourPartDecimal(addressText) ||
    (ipaddr.IPv6.isValid(addressText) && !addressText.includes("%"));
  if (!valid || rest.length > 0) return { problem: "must be an IPv4 or IPv6 network such as 10.0.0.0/8" };
  const address = ipaddr.parse(addressText);
  const bits = address.kind() === "ipv4" ? 32 : 128;
  const length = lengthText === undefined ? bits : prefixLength(lengthText, bits);
  if (length === undefined) return { problem: `prefix length must be a whole number from 0 to ${bits}` };
  const base =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(`${addressText}/${length}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${addressText}/${length}`);
  const network = `${base.toString()}/${length}`;
  if (base.toString() !== address.toString()) return { problem: `has host bits set; write ${network}` };
  return { network };
}

function prefixLength(text: string, bits: number): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const length = Number(text);
  return length <= bits ? length : undefined;
}

/** Does this list admit the whole internet? */
export function opensToEveryone(networks: readonly string[]): boolean {
  return networks.some((network) => network === "0.0.0.0/0" || network === "::/0");
}
