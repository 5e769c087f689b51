import ipaddr from "ipaddr.js";
import type { Packet } from "./packet.ts";

/** Is an address on one of the router's address lists? */
export type OnList = (list: string, address: string) => boolean;

type Test = (value: string, packet: Packet, onList: OnList) => boolean;

/** What a connection to a service of the emulator can be compared with. The value comes without its `!`. */
const TESTS: Readonly<Record<string, Test>> = {
  protocol: (value) => value === "tcp",
  "connection-state": (value, { state }) => value.split(",").includes(state),
  "src-address": (value, { srcAddress }) => contains(value, srcAddress),
  "dst-address": (value, { dstAddress }) => contains(value, dstAddress),
  "src-address-list": (value, { srcAddress }, onList) => onList(value, srcAddress),
  "dst-address-list": (value, { dstAddress }, onList) => onList(value, dstAddress),
  "src-address-type": (value) => value.split(",").includes("unicast"),
  "dst-address-type": (value) => value.split(",").includes("local"),
  "src-port": (value, { srcPort }) => hasPort(value, srcPort),
  "dst-port": (value, { dstPort }) => hasPort(value, dstPort),
  port: (value, { srcPort, dstPort }) => hasPort(value, srcPort) || hasPort(value, dstPort),
  "tcp-flags": (value, { state }) => hasFlags(value, state === "new" ? "syn" : "ack"),
  "connection-mark": isUnmarked,
  "packet-mark": isUnmarked,
};

/**
 * Things a connection here never has: it came in by no interface the emulator could name, and was not translated.
 * The rule doesn't match, with `!` it does.
 */
const NEVER = [
  "connection-nat-state",
  "connection-type",
  "in-bridge-port",
  "in-bridge-port-list",
  "in-interface",
  "in-interface-list",
  "ipsec-policy",
  "out-bridge-port",
  "out-bridge-port-list",
  "out-interface",
  "out-interface-list",
  "routing-mark",
  "src-mac-address",
];

/** Matchers the emulator can't work out: a rule that has one matches nothing. */
const UNKNOWN = [
  "connection-bytes",
  "connection-limit",
  "connection-rate",
  "content",
  "dscp",
  "dst-limit",
  "fragment",
  "headers",
  "hop-limit",
  "hotspot",
  "icmp-options",
  "ingress-priority",
  "ipv4-options",
  "layer7-protocol",
  "limit",
  "nth",
  "p2p",
  "packet-size",
  "per-connection-classifier",
  "priority",
  "psd",
  "random",
  "realm",
  "routing-table",
  "tcp-mss",
  "time",
  "tls-host",
  "tos",
  "ttl",
];

/** Do all matchers of a rule agree to a packet? Values are those of the rule's row. */
export function matches(rule: Readonly<Record<string, string>>, packet: Packet, onList: OnList): boolean {
  if (UNKNOWN.some((name) => rule[name] !== undefined)) return false;
  if (NEVER.some((name) => rule[name] !== undefined && !rule[name].startsWith("!"))) return false;
  return Object.entries(TESTS).every(([name, test]) => {
    const value = rule[name];
    if (value === undefined || value === "") return true;
    const negated = value.startsWith("!");
    return test(negated ? value.slice(1) : value, packet, onList) !== negated;
  });
}

function isUnmarked(value: string): boolean {
  return value === "no-mark";
}

function hasPort(list: string, port: number): boolean {
  return list.split(",").some((entry) => {
    const [low, high = low] = entry.split("-").map(Number);
    return low !== undefined && high !== undefined && low <= port && port <= high;
  });
}

/** "syn,!ack": every flag named is set, every one with `!` is not. */
function hasFlags(list: string, set: string): boolean {
  return list.split(",").every((flag) => (flag.startsWith("!") ? flag !== `!${set}` : flag === set));
}

/** Does an address, a prefix or a range ("192.0.2.1-192.0.2.9") hold the address? A DNS name holds none. */
export function contains(value: string, address: string): boolean {
  const [first = "", last = first] = value.split("-");
  const from = read(first);
  const to = read(last);
  const one = ipaddr.process(address);
  if (!from || !to || from.address.kind() !== one.kind()) return false;
  if (first !== last) return order(from.address, one) <= 0 && order(one, to.address) <= 0;
  return one.match(from.address, from.bits);
}

type Address = ReturnType<typeof ipaddr.process>;

function read(text: string): { address: Address; bits: number } | undefined {
  const [host = "", bits] = text.split("/");
  if (!ipaddr.isValid(host) || !/[.:].*[.:]/.test(host)) return undefined;
  const address = ipaddr.process(host);
  return { address, bits: bits === undefined ? 8 * address.toByteArray().length : Number(bits) };
}

function order(left: Address, right: Address): number {
  return Buffer.compare(Buffer.from(left.toByteArray()), Buffer.from(right.toByteArray()));
}
