/** Places of ours among other people's rules of a packet filter. Pure. */
import { isFirewallMatcher, type Row } from "@portreeve/routeros";
import type { Placement } from "./types.ts";

/** @returns the row to stand directly before, of rows that are not ours; undefined for the end */
export function placeAmong({ chain, before }: Placement, others: readonly Row[]): Row | undefined {
  return others.find((row) => row.chain === chain && (before === "first" || endsEverything(row)));
}

const ENDS = new Set(["accept", "drop", "reject", "tarpit"]);

/** Behind a rule that ends every packet's way ours would never be reached. */
function endsEverything(row: Row): boolean {
  if (row.disabled === "true" || row.invalid === "true" || !ENDS.has(row.action ?? "accept")) return false;
  return Object.entries(row).every(([name, value]) => value === "" || !isFirewallMatcher(name));
}
