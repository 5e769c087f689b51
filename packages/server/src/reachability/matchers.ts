/**
 * Which source addresses a rule of the input chain matches, for a new connection to one port. Three-valued: what
 * can't be decided from the rows alone (an interface, a rate, a mark) is an `Unknown`, never a guess.
 * Source: MikroTik manual, "Common Firewall Matchers and Actions".
 */
import { isFirewallMatcher, type Row } from "@portreeve/routeros";
import {
  type AddressSet,
  everybody,
  type Family,
  intersect,
  isEmpty,
  NOBODY,
  parseAddresses,
  subtract,
} from "./address-set.ts";

/** The first packet of a connection to a service of the router. */
export interface Packet {
  readonly family: Family;
  /** TCP unless given. */
  readonly protocol?: "tcp" | "udp";
  readonly port: number;
  /** The router's own address it is sent to, where that is known. */
  readonly destination?: string | undefined;
}

/** A matcher nobody can answer from here, and the answer a rule would need to match. */
export interface Unknown {
  /** Equal keys have equal answers for one packet: `in-interface-list=LAN`. */
  readonly key: string;
  readonly holds: boolean;
  /** As the rule has it: `in-interface-list=!LAN`. */
  readonly text: string;
}

/** Who a matcher holds for: for certain, and possibly (these included). */
export interface Sources {
  readonly certain: AddressSet;
  readonly possible: AddressSet;
}

export interface Match {
  /** Sources the rule matches whatever the unknowns are. */
  readonly certain: AddressSet;
  /** Sources it matches when every unknown has the answer it needs. */
  readonly uncertain: AddressSet;
  readonly unknowns: readonly Unknown[];
}

/** Matchers that answer anew for each packet, or count for each rule: two rules with the same text may differ. */
const PER_RULE = new Set([
  "connection-limit",
  "dst-limit",
  "limit",
  "nth",
  "per-connection-classifier",
  "psd",
  "random",
]);

type OnList = (list: string) => Sources;

/** Matchers of the source address, which hold for some sources and not for others. */
const SOURCES: ReadonlyMap<string, (value: string, packet: Packet, onList: OnList) => Sources> = new Map([
  [
    "src-address",
    (value, { family }) => {
      const addresses = parseAddresses(value, family);
      return { certain: addresses ?? NOBODY, possible: addresses ?? everybody(family) };
    },
  ],
  ["src-address-list", (list, _packet, onList) => onList(list)],
]);

const PROTOCOL_NUMBERS = { tcp: "6", udp: "17" };

/** Does a matcher's value, without its `!`, hold for the packet? undefined: not to be known from here. */
type Test = (value: string, packet: Packet) => boolean | undefined;

/** A map: a router may name a property `constructor`. */
const TESTS: ReadonlyMap<string, Test> = new Map(
  Object.entries<Test>({
    protocol: (value, { protocol = "tcp" }) => value === protocol || value === PROTOCOL_NUMBERS[protocol],
    "connection-state": (value) => value.split(",").includes("new"),
    "dst-port": (value, { port }) => holdsPort(value, port),
    port: (value, { port }) => holdsPort(value, port) || undefined, // or the source port is among them
    "src-port": (value) => (holdsPort(value, 1) && /^[01]-65535$/.test(value) ? true : undefined),
    "dst-address": (value, { family, destination }) => holdsDestination(value, family, destination),
    "dst-address-type": (value) => value.split(",").includes("local"), // else it would not be in this chain
    "tcp-flags": (value, { protocol }) => protocol !== "udp" && holdsFlags(value),
  }),
);

/**
 * @param within the sources asked about
 * @param spend told of the ranges found on the way to matching nobody; those of a match are the caller's to count
 * @returns undefined when the rule matches no such packet from any of them
 */
export function matchRule(
  row: Row,
  packet: Packet,
  within: AddressSet,
  onList: OnList,
  spend: (ranges: number) => void,
): Match | undefined {
  const matchers = Object.entries(row).filter(([name, text]) => text !== "" && isFirewallMatcher(name));
  const unknowns: Unknown[] = [];
  for (const [name, text] of matchers) {
    if (SOURCES.has(name)) continue;
    const { value, negated } = parts(text);
    const answer = TESTS.get(name)?.(value, packet);
    if (answer === negated) return undefined;
    if (answer === undefined) unknowns.push(unknownOf(name, text, row));
  }
  let possible = within;
  let certain = unknowns.length === 0 ? within : NOBODY;
  for (const [name, text] of matchers) {
    const { value, negated } = parts(text);
    const who = SOURCES.get(name)?.(value, packet, onList);
    if (!who) continue;
    const before = possible;
    possible = negated ? subtract(before, who.certain) : intersect(before, who.possible);
    if (isEmpty(possible)) {
      spend(before.length);
      return undefined;
    }
    if (who.certain === who.possible) {
      // Nothing open: a long list is gone through once.
      certain = certain === before ? possible : intersect(certain, possible);
      continue;
    }
    certain = negated ? subtract(certain, who.possible) : intersect(certain, who.certain);
    const open = negated ? intersect(possible, who.possible) : subtract(possible, who.certain);
    if (!isEmpty(open)) unknowns.push(unknownOf(name, text, row));
  }
  return { certain, uncertain: subtract(possible, certain), unknowns };
}

/** A matcher's value and whether a `!` turns it round. */
function parts(text: string): { value: string; negated: boolean } {
  const negated = text.startsWith("!");
  return { value: negated ? text.slice(1) : text, negated };
}

function unknownOf(name: string, text: string, row: Row): Unknown {
  const { value, negated } = parts(text);
  const key = `${name}=${value}`;
  return {
    key: PER_RULE.has(name) ? `${row[".id"]} ${key}` : key,
    holds: !negated,
    text: `${name}=${text}`,
  };
}

function holdsPort(list: string, port: number): boolean {
  return list.split(",").some((entry) => {
    const [low, high = low] = entry.split("-").map(Number);
    return low !== undefined && high !== undefined && low <= port && port <= high;
  });
}

function holdsDestination(
  value: string,
  family: Family,
  destination: string | undefined,
): boolean | undefined {
  const addresses = parseAddresses(value, family);
  const own = destination === undefined ? undefined : parseAddresses(destination, family);
  if (!addresses || !own) return undefined;
  return !isEmpty(intersect(addresses, own));
}

/** The first packet has SYN set and nothing else, unless it offers ECN. `syn,!ack`: all of it has to hold. */
function holdsFlags(list: string): boolean | undefined {
  const answers = list.split(",").map((flag) => {
    const negated = flag.startsWith("!");
    const name = negated ? flag.slice(1) : flag;
    return name === "ece" || name === "cwr" ? undefined : (name === "syn") !== negated;
  });
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}
