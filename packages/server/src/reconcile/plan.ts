/**
 * The planner: a pure diff of desired rows against observed rows. No database, no socket, no clock.
 *
 * Order of the result: rows added and set (groups before the users in them), rows removed (users before their
 * groups, then their sessions), and last whatever touches the way in, because the connection may not outlive it.
 * Planning again after the steps were carried out gives an empty plan, or, where services pass ports on to each
 * other in a ring, the steps that were not possible before.
 */
import {
  canonical,
  type MenuFacts,
  type RouterOsVersion,
  type Row,
  readField,
  wireFieldName,
  wireValue,
} from "@portreeve/routeros";
import { describe } from "./describe.ts";
import { wayInLast, withoutCollisions } from "./exclusive.ts";
import type { DesiredMenu, DesiredRow, Observed, Plan, Step } from "./types.ts";

/** @throws PlanError when a row that is wanted can't exist on this router */
export function plan(desired: readonly DesiredMenu[], observed: Observed, version: RouterOsVersion): Plan {
  const menus = mergeByMenu(desired).sort((a, b) => a.menu.rank - b.menu.rank);
  const changes = menus.flatMap((menu) => changesOf(menu, rowsOf(menu, observed), version));
  const removals = menus.toReversed().flatMap((menu) => removalsOf(menu, rowsOf(menu, observed), version));
  return { steps: wayInLast([...changes, ...removals]) };
}

/** A row that is wanted and can't be had: a built-in row this router lacks. */
export class PlanError extends Error {
  override readonly name = "PlanError";
}

/** Modules may share a menu (`/user`): their rows add up, and a row is owned when one of them owns it. */
function mergeByMenu(desired: readonly DesiredMenu[]): DesiredMenu[] {
  const byPath = Map.groupBy(desired, ({ menu }) => menu.path);
  return [...byPath.values()].map((parts) => ({
    menu: (parts[0] as DesiredMenu).menu,
    rows: parts.flatMap(({ rows }) => rows),
    owns: (row) => parts.some(({ owns }) => owns(row)),
    wayIn: (row) => parts.some(({ wayIn }) => wayIn?.(row) ?? false),
  }));
}

function rowsOf({ menu }: DesiredMenu, observed: Observed): readonly Row[] {
  const rows = observed.get(menu.path) ?? [];
  return menu.skips ? rows.filter((row) => !menu.skips?.(row)) : rows;
}

function changesOf({ menu, rows }: DesiredMenu, observed: readonly Row[], version: RouterOsVersion): Step[] {
  const byKey = new Map(observed.map((row) => [row[menu.key], row]));
  const steps = rows.flatMap((row) => {
    const existing = byKey.get(row.key);
    return (existing ? setStep(menu, row, existing, version) : addStep(menu, row, version)) ?? [];
  });
  const disable = (row: Row) =>
    setStep(menu, { key: row[menu.key] ?? "", fields: { disabled: "true" } }, row, version);
  return withoutCollisions(menu, observed, steps, disable);
}

function addStep(menu: MenuFacts, row: DesiredRow, version: RouterOsVersion): Step | undefined {
  if (menu.fixedRows) {
    // A router without a service has nothing of it to close; one that should offer it can't.
    if (canonical("boolean", row.fields.disabled) === "true") return undefined;
    throw new PlanError(`this router has no ${menu.path} "${row.key}"`);
  }
  const values = wireValues(menu, { [menu.key]: row.key, ...row.fields }, {}, version);
  return step({
    menu: menu.path,
    command: "add",
    target: { key: row.key },
    values,
    secrets: row.secrets ?? {},
    inverse: { menu: menu.path, command: "remove", key: row.key, values: {} },
    touchesWayIn: row.wayIn === true,
  });
}

function setStep(
  menu: MenuFacts,
  row: DesiredRow,
  existing: Row,
  version: RouterOsVersion,
): Step | undefined {
  const changed = Object.entries(row.fields).filter(([name, value]) => {
    const { kind } = fieldOf(menu, name);
    return canonical(kind, value) !== canonical(kind, readField(fieldOf(menu, name), name, existing));
  });
  if (changed.length === 0) return undefined;
  const before = Object.fromEntries(
    changed.map(([name]) => [name, readField(fieldOf(menu, name), name, existing) ?? ""]),
  );
  const after = Object.fromEntries(changed);
  return step({
    menu: menu.path,
    command: "set",
    target: { key: row.key, ...idOf(existing) },
    values: wireValues(menu, after, before, version),
    secrets: {},
    inverse: {
      menu: menu.path,
      command: "set",
      key: row.key,
      values: wireValues(menu, before, after, version),
    },
    touchesWayIn: row.wayIn === true,
  });
}

function removalsOf(
  { menu, rows, owns, wayIn }: DesiredMenu,
  observed: readonly Row[],
  version: RouterOsVersion,
): Step[] {
  const command = menu.removeCommand(version);
  if (menu.fixedRows || command === undefined) return [];
  const wanted = new Set(rows.map(({ key }) => key));
  return observed
    .filter((row) => owns(row) && !wanted.has(row[menu.key] ?? ""))
    .map((row) =>
      step({
        menu: menu.path,
        command: command as Step["command"],
        target: { key: row[menu.key] ?? "", ...idOf(row) },
        values: {},
        secrets: {},
        inverse: undefined,
        touchesWayIn: wayIn?.(row) ?? false,
      }),
    );
}

function wireValues(
  menu: MenuFacts,
  fields: Readonly<Record<string, string>>,
  observed: Readonly<Record<string, string>>,
  version: RouterOsVersion,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const facts = fieldOf(menu, name);
      return [wireFieldName(facts, name, version), wireValue(facts.kind, value, observed[name])];
    }),
  );
}

function fieldOf(menu: MenuFacts, name: string) {
  const facts = menu.fields[name];
  if (!facts) throw new Error(`${menu.path} has no field "${name}" in its menu facts`);
  return facts;
}

function idOf(row: Row): { id?: string } {
  const id = row[".id"];
  return id === undefined ? {} : { id };
}

function step(parts: Omit<Step, "text">): Step {
  return { ...parts, text: describe(parts) };
}
