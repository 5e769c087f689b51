/** The packet filter of one family as it was read from a router: chains of rules, and the address lists they ask. */
import type { Row } from "@portreeve/routeros";
import type { Observed } from "../reconcile/types.ts";
import { type AddressRange, everybody, type Family, parseAddresses, toSet } from "./address-set.ts";
import type { Sources } from "./matchers.ts";

export interface Rule {
  /** Its place in the menu, from 0, as `print` numbers it. */
  readonly number: number;
  readonly row: Row;
}

export interface FilterTable {
  readonly family: Family;
  /** The router has this family's menu; without it nothing is filtered. */
  readonly present: boolean;
  /** Rules in force, in their order, by chain. */
  readonly chains: ReadonlyMap<string, readonly Rule[]>;
  /** Who is on an address list of this name; nobody where there is none. */
  readonly onList: (list: string) => Sources;
}

const PATHS: Readonly<Record<Family, string>> = { ipv4: "/ip/firewall", ipv6: "/ipv6/firewall" };

export const filterPath = (family: Family): string => `${PATHS[family]}/filter`;
const listPath = (family: Family): string => `${PATHS[family]}/address-list`;

export function filterTable(observed: Observed, family: Family): FilterTable {
  const rows = observed.get(filterPath(family));
  const rules = (rows ?? [])
    .map((row, number): Rule => ({ number, row }))
    .filter(({ row }) => isInForce(row));
  return {
    family,
    present: rows !== undefined,
    chains: Map.groupBy(rules, ({ row }) => row.chain ?? ""),
    onList: addressLists(observed.get(listPath(family)) ?? [], family),
  };
}

/** Disabled rules do nothing, and neither do those RouterOS marks invalid. */
function isInForce(row: Row): boolean {
  return !isSet(row.disabled) && !isSet(row.invalid);
}

export function isSet(value: string | undefined): boolean {
  return value === "true" || value === "yes";
}

/**
 * Timed and dynamic entries count as long as they are there. A DNS name stands for addresses that change without us:
 * a list with one holds everybody possibly. Lists are read when a rule asks them: the longest serve other tables.
 */
function addressLists(rows: readonly Row[], family: Family): FilterTable["onList"] {
  const entries = Map.groupBy(rows, ({ list }) => list);
  const known = new Map<string, Sources>();
  return (list) => {
    const members = known.get(list) ?? membersOf(entries.get(list) ?? [], family);
    known.set(list, members);
    return members;
  };
}

function membersOf(rows: readonly Row[], family: Family): Sources {
  const ranges: AddressRange[] = [];
  let named = false;
  for (const { address = "", disabled } of rows) {
    if (isSet(disabled)) continue;
    const addresses = parseAddresses(address, family);
    if (addresses) ranges.push(...addresses);
    else named = true;
  }
  const certain = toSet(ranges);
  return { certain, possible: named ? everybody(family) : certain };
}
