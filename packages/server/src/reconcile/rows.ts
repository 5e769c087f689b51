/** Which rows somebody means. Pure. */
import type { Row } from "@portreeve/routeros";
import type { RowMatch } from "./types.ts";

export function matches(match: RowMatch, row: Row): boolean {
  if (match === "every" || match === "none") return match === "every";
  const text = row[match.field] ?? "";
  return "is" in match
    ? match.is.includes(text)
    : match.startsWith.some((beginning) => text.startsWith(beginning));
}
