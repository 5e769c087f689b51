/** Changes as people read them, one thing per line. */
import { type PolicyInput, SERVICE_NAMES } from "@portreeve/api-schema";
import { printable } from "../../print.ts";
import type { Change, Comparison, NamedSite } from "./compare.ts";

const NOTHING = "Nothing to change: Portreeve is as the file says.";

/** The plan: what is created (+), changed (~), moved (>) and deleted (-), what stays unnamed, and a last line of counts. */
export function describePlan({ changes, unnamed }: Comparison): string {
  const notes = unnamed.length === 0 ? [] : [`Not in the file, left where they are: ${some(unnamed)}`];
  if (changes.length === 0) return printed([...notes, NOTHING]);
  return printed([...changes.flatMap(describe), ...notes, `${counts(changes)}.`]);
}

/** One change in one line. */
export function headline(change: Change): string {
  switch (change.kind) {
    case "create":
      return `+ policy ${change.input.name}`;
    case "change":
      return `~ policy ${change.input.name}`;
    case "move":
      return `> ${sites(change.sites.length)} to ${change.input.name}`;
    case "delete":
      return `- policy ${change.name}`;
  }
}

/** `1 policy to create, 2 sites to move` */
function counts(changes: readonly Change[]): string {
  const count = (kind: Change["kind"]) => changes.filter((change) => change.kind === kind).length;
  const moved = changes.reduce((sum, change) => sum + (change.kind === "move" ? change.sites.length : 0), 0);
  const parts: [number, string][] = [
    [count("create"), `${policies(count("create"))} to create`],
    [count("change"), `${policies(count("change"))} to change`],
    [moved, `${sites(moved)} to move`],
    [count("delete"), `${policies(count("delete"))} to delete`],
  ];
  return parts.flatMap(([number, text]) => (number === 0 ? [] : [text])).join(", ");
}

function describe(change: Change): string[] {
  return [headline(change), ...details(change).map((line) => `    ${line}`)];
}

function details(change: Change): string[] {
  switch (change.kind) {
    case "create":
      return openedServices(change.input);
    case "change":
      return change.differences.map(({ field, from, to }) => `${field}: ${from} -> ${to}`);
    case "move":
      return change.sites.map(({ name, from }) => `${name}, now under ${from}`);
    case "delete":
      return change.sites.length === 0 ? [] : [`fall back to the default policy: ${some(change.sites)}`];
  }
}

function openedServices(input: PolicyInput): string[] {
  const open = SERVICE_NAMES.filter((name) => input[name].enabled);
  const lines = open.map((name) => {
    const { port, networks } = input[name];
    const from = networks?.length ? networks : input.trusted_networks;
    return `${name} on ${port} for ${from.join(", ")}`;
  });
  return [...lines, "everything else closed"];
}

function some(all: readonly NamedSite[]): string {
  const more = all.length - 10;
  const names = all.slice(0, 10).map(({ name }) => name);
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function sites(count: number): string {
  return `${count} ${count === 1 ? "site" : "sites"}`;
}

function policies(count: number): string {
  return `${count} ${count === 1 ? "policy" : "policies"}`;
}

function printed(lines: readonly string[]): string {
  return lines.map(printable).join("\n");
}
