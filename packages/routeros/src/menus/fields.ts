/**
 * What the values of a field mean, as data: how to compare two spellings of one value and how to write it.
 * Without this, drift never ends: RouterOS reads back `true` for `yes`, `10.0.0.1/32` for `10.0.0.1`, and group
 * policies with every right that is *not* granted spelt out.
 */

import { formatDuration, parseDurationMs } from "../values.ts";

/** How a field's text is to be read. `secret` fields can be written and never read back. */
export type FieldKind =
  | "text"
  | "boolean"
  | "number"
  | "network"
  | "networks"
  | "policies"
  | "secret"
  | "list"
  | "duration"
  | "date"
  | "datetime";

/**
 * One spelling for equal values of a kind. Two values are equal when their canonical forms are.
 * An absent value is the empty text: RouterOS leaves empty properties out of its rows.
 */
export function canonical(kind: FieldKind, text: string | undefined): string {
  const value = text ?? "";
  switch (kind) {
    case "boolean":
      return value === "true" || value === "yes" ? "true" : "false";
    case "network":
      return value === "" ? "" : canonicalNetwork(value);
    case "networks":
      return splitList(value).map(canonicalNetwork).sort().join(",");
    case "policies":
      return granted(value).sort().join(",");
    case "list":
      return splitList(value).sort().join(",");
    case "duration":
      return canonicalDuration(value);
    default:
      return value;
  }
}

/**
 * The text that turns `observed` into `desired`.
 * `/user/group set policy=` changes only the rights it lists (MikroTik manual, REST API), so a right that has to go
 * is written as `!right`.
 */
export function wireValue(kind: FieldKind, desired: string, observed: string | undefined): string {
  switch (kind) {
    case "boolean":
      return canonical("boolean", desired) === "true" ? "yes" : "no";
    case "policies": {
      const wanted = granted(desired);
      const surplus = granted(observed ?? "").filter((right) => !wanted.includes(right));
      return [...wanted, ...surplus.map((right) => `!${right}`)].join(",");
    }
    default:
      return desired;
  }
}

/** `01:30:00`, `90m` and `1h30m` are one; what is no duration, such as `none`, compares as it stands. */
function canonicalDuration(text: string): string {
  try {
    const ms = parseDurationMs(text);
    return ms === undefined ? text : formatDuration(ms);
  } catch {
    return text;
  }
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function granted(policies: string): string[] {
  return splitList(policies).filter((right) => !right.startsWith("!"));
}

/** A bare host is stored as /32 or /128; IPv6 text is brought to its shortest form. */
function canonicalNetwork(text: string): string {
  const [address = "", length] = text.split("/", 2);
  if (!address.includes(":")) return `${address}/${length ?? "32"}`;
  return `${shortestIpv6(address)}/${length ?? "128"}`;
}

function shortestIpv6(address: string): string {
  try {
    return new URL(`http://[${address}]`).hostname.slice(1, -1);
  } catch {
    return address.toLowerCase(); // not an address: compare as it stands
  }
}
