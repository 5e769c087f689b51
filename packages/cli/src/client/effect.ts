/** What a change would do to a router, for reading: steps, input chain, who gets in, what to know. */
import { styleText } from "node:util";
import {
  type AccessCell,
  type AccessRow,
  type ChainRule,
  type Plan,
  SERVICE_NAMES,
} from "@portreeve/api-schema";
import { printable, table } from "../print.ts";

type Service = (typeof SERVICE_NAMES)[number];

export function describeEffect({ steps, input_chain, access, warnings }: Plan): string {
  const parts = [
    steps.length === 0
      ? "Nothing to change: the router is as it should be."
      : section("Steps", steps.map(({ text }) => printable(text)).join("\n")),
    chain("IPv4", input_chain.ipv4),
    chain("IPv6", input_chain.ipv6),
    whoGetsIn(access),
    warnings.length > 0 && section("Warnings", warnings.map((text) => printable(text)).join("\n")),
  ];
  return parts.filter((part) => part !== false && part !== "").join("\n\n");
}

function section(title: string, body: string): string {
  const lines = body.split("\n").map((line) => (line === "" ? "" : `  ${line}`));
  return `${styleText("bold", title)}\n${lines.join("\n")}`;
}

/** Flags as RouterOS prints them, and P for what is Portreeve's. */
function chain(family: string, rules: readonly ChainRule[] | null): string | false {
  if (rules === null || rules.length === 0) return false;
  const rows = rules.map(({ number, text, ours, dynamic, disabled }) => [
    number,
    `${ours ? "P" : " "}${dynamic ? "D" : " "}${disabled ? "X" : " "}`,
    text,
  ]);
  const title = `Input chain afterwards, ${family} (P Portreeve's, D dynamic, X disabled)`;
  return section(title, table(["#", "flags", "rule"], rows));
}

/** Services that nobody reaches, before and after, have no column. */
function whoGetsIn(rows: readonly AccessRow[]): string | false {
  if (rows.length === 0) return false;
  const isClosed = (name: Service) =>
    rows.every(
      ({ services }) => services[name].before.access === "no" && services[name].after.access === "no",
    );
  const open = SERVICE_NAMES.filter((name) => !isClosed(name));
  const closed = SERVICE_NAMES.filter(isClosed);
  const body = rows.map((row) => [sourceOf(row), ...open.map((name) => change(row.services[name]))]);
  const parts = [
    table(["source", ...open], body, colour),
    closed.length > 0 && `Closed to everybody, before and after: ${closed.join(", ")}`,
    reasons(rows, open).join("\n"),
  ];
  return section("Who has access", parts.filter((part) => part !== false && part !== "").join("\n\n"));
}

function sourceOf({ source: { kind, network } }: AccessRow): string {
  const who = {
    management: "Portreeve",
    caller: "you",
    policy: "",
    router: "the router's",
    internet: "internet",
  }[kind];
  return `${who} ${network}`.trim();
}

function change({ before, after }: AccessRow["services"][Service]): string {
  return before.access === after.access ? after.access : `${before.access} -> ${after.access}`;
}

const COLOURS = { yes: "green", no: "red", partly: "yellow", depends: "yellow" } as const;

/** A cell by what it says afterwards; other cells stay as they are. */
function colour(text: string): string {
  const last = text.split(" -> ").at(-1) ?? "";
  return Object.hasOwn(COLOURS, last) ? styleText(COLOURS[last as keyof typeof COLOURS], text) : text;
}

/** Why, where something changes or is not the same for the whole network; what has one reason on one line. */
function reasons(rows: readonly AccessRow[], services: readonly Service[]): string[] {
  const worthIt = rows.flatMap((row) =>
    services
      .filter((name) => {
        const { before, after } = row.services[name];
        return before.access !== after.access || after.access === "partly" || after.access === "depends";
      })
      .map((name) => ({ name, source: sourceOf(row), why: reason(row.services[name].after) })),
  );
  const bySource = [...Map.groupBy(worthIt, ({ source, why }) => `${source} ${why}`).values()].map(
    (group) => ({
      names: group.map(({ name }) => name).join(", "),
      source: group[0]?.source,
      why: group[0]?.why,
    }),
  );
  return [...Map.groupBy(bySource, ({ names, why }) => `${names} ${why}`).values()].map((group) => {
    const sources = group.map(({ source }) => source).join(", ");
    return printable(`${group[0]?.names} from ${sources}: ${group[0]?.why}`);
  });
}

function reason({ access, because, networks }: AccessCell): string {
  const admitted = networks.length > 0 ? `, for certain ${networks.join(", ")}` : "";
  return `${access}${admitted} (${because.join("; ")})`;
}
