import type { ChainRule } from "@portreeve/api-schema";
import type { Row } from "@portreeve/routeros";
import { plainOrQuoted } from "../reconcile/describe.ts";
import type { Observed } from "../reconcile/types.ts";
import type { Family } from "./address-set.ts";
import { filterPath, isSet } from "./filter-table.ts";

/** Longest value of a rule that is shown whole. */
const MAX_VALUE = 200;

/** What a row shows that nobody wrote. */
const NOT_WRITTEN = new Set([".id", "bytes", "packets", "dynamic", "invalid"]);

/**
 * The input chain and the chains it leads into, in the menu's order; disabled rules are among them.
 * @returns undefined when the router has no such menu
 */
export function inputChain(
  observed: Observed,
  family: Family,
  ours: (row: Row) => boolean,
): ChainRule[] | undefined {
  const rows = observed.get(filterPath(family));
  if (!rows) return undefined;
  const chains = chainsFrom(rows, "input");
  return rows.flatMap((row, number) => {
    if (!chains.has(row.chain ?? "")) return [];
    const disabled = isSet(row.disabled);
    return { number, text: exported(row), ours: ours(row), dynamic: isSet(row.dynamic), disabled };
  });
}

function chainsFrom(rows: readonly Row[], first: string): Set<string> {
  const chains = new Set([first]);
  // A set that grows while it is gone through is gone through to its end.
  for (const chain of chains) {
    for (const row of rows) {
      if (row.chain === chain && row.action === "jump") chains.add(row["jump-target"] ?? "");
    }
  }
  return chains;
}

/** `add chain=input action=drop in-interface-list=!LAN comment="…"` */
function exported(row: Row): string {
  const { chain, action, comment, ...rest } = row;
  const given = { chain, action, ...rest, comment };
  const words = Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined || value === "" || NOT_WRITTEN.has(name)) return [];
    if ((name === "disabled" || name === "log") && !isSet(value)) return [];
    return `${plainOrQuoted(name)}=${plainOrQuoted(value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value)}`;
  });
  return ["add", ...words].join(" ");
}
