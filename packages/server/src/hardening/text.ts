/** How much of a router's text a report shows. */
import { printable } from "../kernel/untrusted.ts";
import type { Evidence } from "./types.ts";

/** Longest value shown, characters; 24 rows of 16 such values are 80 KB in a finding at worst. */
const MAX_VALUE = 200;
/** A router may make up names of properties, too. */
const MAX_NAME = 60;
const MAX_DETAIL = 1_000;
const MAX_ROWS = 24;

export const shownDetail = (text: string): string => printable(text, MAX_DETAIL);

/** The first rows of the evidence, each name and value printable and bounded. */
export function shownEvidence(evidence: readonly Evidence[]): { shown: Evidence[]; omitted: number } {
  const shown = evidence.slice(0, MAX_ROWS).map(({ menu, values }) => ({
    menu,
    values: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [printable(name, MAX_NAME), printable(value, MAX_VALUE)]),
    ),
  }));
  return { shown, omitted: evidence.length - shown.length };
}

/** `a, b and 3 more`: names in a sentence, bounded. */
export function named(names: readonly string[], most = 5): string {
  const first = names.slice(0, most).map((name) => printable(name, MAX_NAME));
  const more = names.length - first.length;
  return first.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
