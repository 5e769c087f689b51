/**
 * What is written down about a menu: key, fields, order, which rows are not ours to set, and what differs by version.
 * The facts themselves are beside this file. Their sources: MikroTik manual ("Services", "User", "API", "Filter",
 * "Scheduler", "Certificates") and the published command trees of RouterOS 7.9 to 7.24.
 */
import type { Row } from "../codec/row.ts";
import { atLeast, type RouterOsVersion } from "../version.ts";
import type { FieldKind } from "./fields.ts";

export interface FieldFacts {
  readonly kind: FieldKind;
  /** The property's name on the wire, where it differs by version. */
  readonly wireName?: (version: RouterOsVersion) => string;
  /** Older or newer names under which a print may show it. */
  readonly alsoReadAs?: readonly string[];
  /** The first version that takes it. */
  readonly since?: string;
  /** The wire text a row has that was added without it. */
  readonly default?: string;
}

export interface MenuFacts {
  readonly path: string;
  /** The field that names a row. Not unique on the router where `skips` leaves rows out. */
  readonly key: string;
  /** Fields that can be written. */
  readonly fields: Readonly<Record<string, FieldFacts>>;
  /** Fields that are only ever shown. */
  readonly readOnly?: Readonly<Record<string, FieldFacts>>;
  /** Steps on a menu of lower rank come first when rows are added, last when they are removed. */
  readonly rank: number;
  /** The place of a row among the others means something; `add` takes `place-before`, and there is `move`. */
  readonly ordered?: true;
  /** One row without an `.id`: it is set without a target, never added or removed. */
  readonly singleton?: true;
  /** Rows are built in: they can be set, not added or removed. */
  readonly fixedRows?: true;
  /** A field no two enabled rows may share: a row that gives a value up is set before the one that takes it. */
  readonly exclusive?: string;
  /** Rows that exist for other reasons and must not be set. */
  readonly skips?: "dynamic";
  /** The version from which such rows bear the key of others, so that a `find` by it has to leave them out. */
  readonly dynamicSince?: string;
  /** What a row holds can't be read, so one that is removed can't be put back. */
  readonly unreadable?: true;
  /** Read-only fields that say what became of a row, read together with those that are compared. */
  readonly alsoRead?: readonly string[];
  /** A router may lack the menu: its package is not installed. */
  readonly optional?: true;
  /** The command that removes a row; undefined where this version has none. */
  readonly removeCommand: (version: RouterOsVersion) => string | undefined;
}

const isDynamic = (row: Row): boolean => row.dynamic === "true" || row.dynamic === "yes";

/** A row that the menu's facts say must not be set. */
export function isSkipped({ skips }: Pick<MenuFacts, "skips">, row: Row): boolean {
  return skips === "dynamic" && isDynamic(row);
}

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

/** Whether a version takes a field. */
export function takesField(facts: FieldFacts, version: RouterOsVersion): boolean {
  return facts.since === undefined || atLeast(version, facts.since);
}
