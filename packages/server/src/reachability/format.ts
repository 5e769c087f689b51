/** Rules and settings in words, for reading. Comments and values come from the router: hostile text is escaped. */
import { plainOrQuoted, quoted } from "../reconcile/describe.ts";
import { type AddressSet, type Family, formatAddresses } from "./address-set.ts";
import type { Rule } from "./filter-table.ts";
import type { Outcome } from "./walk.ts";

/** Longest part of a router's text shown in a sentence. */
const MAX_TEXT = 80;

/** Networks named in one sentence. */
const MAX_NETWORKS = 3;

/** `rule 4 "defconf: drop all not coming from LAN"`; a rule without a comment goes by its number in `print`. */
export function nameOf({ number, row }: Rule): string {
  return row.comment ? `rule ${number} ${quoted(cut(row.comment))}` : `rule ${number}`;
}

/** What decides: `rule 4 "…" (depends on in-interface-list=!LAN)`. */
export function deciderOf({ rule, conditions }: Outcome): string {
  const unknowns = [
    ...new Set(conditions.flatMap((condition) => condition.unknowns.map(({ text }) => text))),
  ];
  const name = rule ? nameOf(rule) : "no rule: what none stops is accepted";
  return unknowns.length === 0 ? name : `${name} (depends on ${unknowns.map(shown).join(", ")})`;
}

export const nameOfList = (list: string): string => plainOrQuoted(cut(list));

export const networksOf = (sources: AddressSet, family: Family): string =>
  formatAddresses(sources, family, MAX_NETWORKS).join(", ");

export const familyName = (family: Family): string => (family === "ipv4" ? "IPv4" : "IPv6");

/** `in-interface-list=!LAN`, quoted as soon as there is anything odd in it. */
function shown(text: string): string {
  return /^[\w.:/,!=-]{1,80}$/.test(text) ? text : quoted(cut(text));
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
