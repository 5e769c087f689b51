/**
 * Facts about the menus Portreeve writes: key, fields, which rows are not ours to set, and what differs by version.
 * Sources: MikroTik manual ("Services", "User", "API") and the published command trees of RouterOS 7.9 to 7.24.
 */
import type { Row } from "../codec/sentence.ts";
import { atLeast, type RouterOsVersion } from "../version.ts";
import type { FieldKind } from "./fields.ts";

export interface FieldFacts {
  readonly kind: FieldKind;
  /** The property's name on the wire, where it differs by version. */
  readonly wireName?: (version: RouterOsVersion) => string;
  /** Older or newer names under which a print may show it. */
  readonly alsoReadAs?: readonly string[];
}

export interface MenuFacts {
  readonly path: string;
  /** The field that names a row. Not unique on the router where `skips` leaves rows out. */
  readonly key: string;
  readonly fields: Readonly<Record<string, FieldFacts>>;
  /** Steps on a menu of lower rank come first when rows are added, last when they are removed. */
  readonly rank: number;
  /** Rows are built in: they can be set, not added or removed. */
  readonly fixedRows?: true;
  /** A field no two enabled rows may share: a row that gives a value up is set before the one that takes it. */
  readonly exclusive?: string;
  /** Rows that exist for other reasons and must not be set. */
  readonly skips?: (row: Row) => boolean;
  /** The command that removes a row; undefined where this version has none. */
  readonly removeCommand: (version: RouterOsVersion) => string | undefined;
}

const isDynamic = (row: Row): boolean => row.dynamic === "true" || row.dynamic === "yes";

export const userGroup: MenuFacts = {
  path: "/user/group",
  key: "name",
  fields: { name: { kind: "text" }, policy: { kind: "policies" } },
  rank: 1,
  removeCommand: () => "remove",
};

export const user: MenuFacts = {
  path: "/user",
  key: "name",
  fields: {
    name: { kind: "text" },
    group: { kind: "text" },
    password: { kind: "secret" },
    address: { kind: "networks" },
    disabled: { kind: "boolean" },
    comment: { kind: "text" },
  },
  rank: 2,
  removeCommand: () => "remove",
};

/** `address` is shown as `available-from` since 7.24; which of both `print` returns is read either way. */
export const ipService: MenuFacts = {
  path: "/ip/service",
  key: "name",
  fields: {
    name: { kind: "text" },
    port: { kind: "number" },
    disabled: { kind: "boolean" },
    address: {
      kind: "networks",
      wireName: (version) => (atLeast(version, "7.24") ? "available-from" : "address"),
      alsoReadAs: ["available-from", "address"],
    },
  },
  rank: 3,
  fixedRows: true,
  exclusive: "port",
  // From 7.19 every listener and open connection is a dynamic row under the service's name; setting one fails
  // with "this is configured elsewhere".
  skips: isDynamic,
  removeCommand: () => undefined,
};

/** Sessions. Lowest rank: a user has to be gone before its session is ended, or it logs in again. */
export const userActive: MenuFacts = {
  path: "/user/active",
  key: "name",
  fields: { name: { kind: "text" }, via: { kind: "text" }, address: { kind: "text" } },
  rank: 0,
  // request-logout up to 7.19.x, remove from 7.20; RouterOS 6 has neither.
  removeCommand: (version) => {
    if (!atLeast(version, "7.0")) return undefined;
    return atLeast(version, "7.20") ? "remove" : "request-logout";
  },
};

/** The value of a logical field in a printed row, under whichever name this version shows it. */
export function readField(facts: FieldFacts, name: string, row: Row): string | undefined {
  for (const wireName of facts.alsoReadAs ?? [name]) {
    const value = row[wireName];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The name under which a logical field is written on this version. */
export function wireFieldName(facts: FieldFacts, name: string, version: RouterOsVersion): string {
  return facts.wireName?.(version) ?? name;
}
