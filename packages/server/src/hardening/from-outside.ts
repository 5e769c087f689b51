/**
 * What becomes of new connections from the internet at the router's input chain, as its rules say. Pure.
 *
 * Of the internet are all addresses that are not private. What a rule depends on beyond that is not known from here,
 * with one exception: of MikroTik's default configuration the interface list `WAN` is where the internet is, and `LAN`
 * is not (MikroTik manual, "Default configurations").
 */
import type { Row } from "@portreeve/routeros";
import {
  type AddressSet,
  Budget,
  type Condition,
  everybody,
  type Family,
  type FilterTable,
  filterTable,
  intersect,
  type Outcome,
  type Packet,
  parseAddresses,
  type RuleVerdict,
  subtract,
  unite,
  walk,
} from "../reachability/index.ts";
import type { Observed } from "../reconcile/types.ts";

export interface FromOutside {
  /** How most of the internet fares; a network that is named in a rule may fare otherwise. */
  readonly verdict: "accepted" | "dropped" | "unknown";
  /** Rules that decide, or would if what is unknown were as they ask. */
  readonly rules: readonly Row[];
}

/** Rules and ranges looked at for all answers about one router, half a second or so. */
const BUDGET = 2_000_000;

const PRIVATE: Readonly<Record<Family, readonly string[]>> = {
  ipv4: [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
  ],
  ipv6: ["::/3", "fc00::/6", "fe80::/9", "ff00::/8"],
};

const INTERNET: Readonly<Record<Family, AddressSet>> = {
  ipv4: internet("ipv4"),
  ipv6: internet("ipv6"),
};

function internet(family: Family): AddressSet {
  const ranges = PRIVATE[family].map((network) => parseAddresses(network, family) ?? []);
  return subtract(everybody(family), unite(...ranges));
}

/** What is known of a packet from the internet beyond its address, by the key of a matcher. */
const KNOWN: Readonly<Record<string, boolean>> = {
  "in-interface-list=WAN": true,
  "in-interface-list=LAN": false,
  "in-interface-list=all": true,
  "in-interface-list=none": false,
  "src-address-type=unicast": true,
  "dst-address=127.0.0.1": false,
};

export function fromOutside(observed: Observed, family: Family, packet: Omit<Packet, "family">): FromOutside {
  const sources = INTERNET[family];
  const { tables, budget } = filterOf(observed);
  const { outcomes } = walk(tables[family], { ...packet, family }, { sources, budget });
  const { accept, refuse } = verdicts(outcomes, sources);
  const verdict = isMost(subtract(accept, refuse), sources)
    ? "accepted"
    : isMost(subtract(refuse, accept), sources)
      ? "dropped"
      : "unknown";
  const rules = outcomes.flatMap(({ rule, conditions }) =>
    rule && holdsAll(conditions) !== false ? [rule.row] : [],
  );
  return { verdict, rules: [...new Set(rules)] };
}

interface RouterFilter {
  readonly tables: Readonly<Record<Family, FilterTable>>;
  readonly budget: Budget;
}

/**
 * One report asks about many ports: address lists of a hundred thousand entries are read once for all of them, and all
 * of them together may cost as much as is bounded here.
 */
const filters = new WeakMap<Observed, RouterFilter>();

function filterOf(observed: Observed): RouterFilter {
  const filter = filters.get(observed) ?? {
    tables: { ipv4: filterTable(observed, "ipv4"), ipv6: filterTable(observed, "ipv6") },
    budget: new Budget(BUDGET),
  };
  filters.set(observed, filter);
  return filter;
}

/** Who may be accepted and who may be refused: the first case that holds for certain ends it for its sources. */
function verdicts(outcomes: readonly Outcome[], sources: AddressSet): Record<RuleVerdict, AddressSet> {
  const may: Record<RuleVerdict, AddressSet> = { accept: [], refuse: [] };
  let open = sources;
  for (const outcome of outcomes) {
    const holds = holdsAll(outcome.conditions);
    if (holds === false) continue;
    const here = intersect(outcome.sources, open);
    may[outcome.verdict] = unite(may[outcome.verdict], here);
    if (holds) open = subtract(open, here);
  }
  return may;
}

/** undefined: not to be known. */
function holdsAll(conditions: readonly Condition[]): boolean | undefined {
  const answers = conditions.map(holds);
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function holds({ unknowns, holds: wanted }: Condition): boolean | undefined {
  const answers = unknowns.map(({ key, holds: needed }) =>
    KNOWN[key] === undefined ? undefined : KNOWN[key] === needed,
  );
  if (answers.includes(false)) return !wanted;
  return answers.includes(undefined) ? undefined : wanted;
}

function isMost(part: AddressSet, whole: AddressSet): boolean {
  return 2n * sizeOf(part) > sizeOf(whole);
}

function sizeOf(set: AddressSet): bigint {
  return set.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
