/** Router text made fit to be shown: it is hostile input. */
import type { Evidence } from "./types.ts";

/** Longest value shown, characters; 24 rows of 16 such values are 80 KB in a finding at worst. */
const MAX_VALUE = 200;
/** A router may make up names of properties, too. */
const MAX_NAME = 60;
const MAX_DETAIL = 1_000;
const MAX_ROWS = 24;

/** What a terminal or a page would obey (control and direction characters, line ends, halves of a pair). */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

/** Control characters as RouterOS writes them (`\0A`), the others by their number; cut at `length`. */
export function escaped(text: string, length = MAX_VALUE): string {
  const shown = text.slice(0, length + 1).replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16).toUpperCase().padStart(2, "0");
    return code < 0x100 ? `\\${hex}` : `\\u{${hex}}`;
  });
  return shown.length > length ? `${shown.slice(0, length - 1)}…` : shown;
}

export const escapedDetail = (text: string): string => escaped(text, MAX_DETAIL);

/** The first rows of the evidence, each name and value escaped and bounded. */
export function shownEvidence(evidence: readonly Evidence[]): { shown: Evidence[]; omitted: number } {
  const shown = evidence.slice(0, MAX_ROWS).map(({ menu, values }) => ({
    menu,
    values: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [escaped(name, MAX_NAME), escaped(value)]),
    ),
  }));
  return { shown, omitted: evidence.length - shown.length };
}

/** `a, b and 3 more`: names in a sentence, bounded. */
export function named(names: readonly string[], most = 5): string {
  const first = names.slice(0, most).map((name) => escaped(name, 60));
  const more = names.length - first.length;
  return first.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
