/** Reading rows in checks. */
import { FIREWALL_RULE_NOTES, type Row } from "@portreeve/routeros";
import type { Evidence } from "../types.ts";

export function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "yes";
}

/** Does a network, or no network at all, mean everybody? */
export function isEverything(network: string): boolean {
  return network === "" || network.endsWith("/0");
}

/** What the verdict on the input chain reads like after "the input chain". */
export const VERDICT_WORDS = {
  accepted: "accepts",
  dropped: "drops",
  unknown: "may accept or drop (it depends on an interface, a limit or the like)",
} as const;

/** A verdict on the input chain as the status of a finding. */
export const VERDICT_STATUS = { accepted: "open", dropped: "ok", unknown: "unknown" } as const;

/** The one of several verdicts that matters most. */
export function worstOf(verdicts: readonly (keyof typeof VERDICT_WORDS)[]): keyof typeof VERDICT_WORDS {
  return (["accepted", "unknown"] as const).find((verdict) => verdicts.includes(verdict)) ?? "dropped";
}

/** A row as evidence: the properties named, or all but state and logging, which decide nothing. */
export function evidenceOf(menu: string, row: Row, names?: readonly string[]): Evidence {
  const told = names ?? Object.keys(row).filter((name) => !FIREWALL_RULE_NOTES.has(name));
  const values = told.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]] as const]));
  return { menu, values: Object.fromEntries(values.slice(0, 16)) };
}

/** Services that are enabled: from 7.19 open connections are rows, too, marked dynamic. */
export function enabledServices(rows: readonly Row[]): Row[] {
  return rows.filter((row) => !isTrue(row.dynamic) && !isTrue(row.disabled));
}

/** Who may reach a service, under either name of the property. */
export function sourcesOf(service: Row): string {
  return service["available-from"] ?? service.address ?? "";
}

export function isOpenToAll(service: Row): boolean {
  return sourcesOf(service).split(",").some(isEverything);
}
