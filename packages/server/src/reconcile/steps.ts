/** One step of a plan, with what undoes it. Pure. */
import {
  atLeast,
  canonical,
  type FieldFacts,
  type MenuFacts,
  type RouterOsVersion,
  type Row,
  readField,
  wireFieldName,
  wireValue,
} from "@portreeve/routeros";
import { describe } from "./describe.ts";
import type { DesiredRow, Inverse, NextCommand, RowReference, Step } from "./types.ts";

/** What the steps on one menu have in common. */
export interface StepContext {
  readonly menu: MenuFacts;
  readonly version: RouterOsVersion;
  readonly owns: (row: Row) => boolean;
  readonly reportOnly: boolean;
}

type Fields = Readonly<Record<string, string>>;

/** @param before in an ordered menu the row it is put before; undefined for the end */
export function addStep(context: StepContext, row: DesiredRow, before?: Row): Step {
  const { menu, version } = context;
  const values = wireValues(menu, { [menu.key]: row.key, ...row.fields }, {}, version);
  const id = before?.[".id"];
  return step(context, {
    command: "add",
    target: { field: menu.key, key: row.key },
    values: id === undefined ? values : { ...values, "place-before": id },
    secrets: row.secrets ?? {},
    inverse: [{ command: "remove", row: byKey(context, row.key), values: {} }],
    touchesManagementPath: row.managementPath === true,
    reportOnly: context.reportOnly && !row.alwaysRepaired,
  });
}

/** @returns undefined when the row is as wanted */
export function setStep(context: StepContext, row: DesiredRow, existing: Row): Step | undefined {
  const { menu, version } = context;
  const changed = Object.entries(row.fields).filter(([name, value]) => {
    const { kind } = fieldOf(menu, name);
    return canonical(kind, value) !== canonical(kind, readField(fieldOf(menu, name), name, existing));
  });
  if (changed.length === 0) return undefined;
  const before = Object.fromEntries(
    changed.map(([name]) => [name, readField(fieldOf(menu, name), name, existing) ?? ""]),
  );
  const after = Object.fromEntries(changed);
  const values = wireValues(menu, before, after, version);
  return step(context, {
    command: "set",
    target: menu.singleton ? { field: menu.key, key: "" } : targetOf(menu, existing),
    values: wireValues(menu, after, before, version),
    secrets: {},
    inverse: [{ command: "set", row: menu.singleton ? undefined : byKey(context, row.key), values }],
    touchesManagementPath: row.managementPath === true,
    reportOnly: context.reportOnly && !row.alwaysRepaired,
  });
}

/** The next command of those that bring a row about; removing the row is what undoes it. */
export function makeStep(context: StepContext, { key }: DesiredRow, nextCommand: NextCommand): Step {
  return step(context, {
    command: nextCommand.command,
    target: { field: context.menu.key, key },
    values: nextCommand.values,
    secrets: nextCommand.secrets ?? {},
    inverse: [],
    touchesManagementPath: false,
    reportOnly: context.reportOnly,
  });
}

/**
 * @param undo put it back as it was, where nothing of it is unreadable: in an ordered menu, before this row
 * @returns undefined where this version has no command for it
 */
export function removeStep(
  context: StepContext,
  existing: Row,
  { managementPath, undo }: { managementPath: boolean; undo?: { before: Row | undefined } },
): Step | undefined {
  const { menu, version } = context;
  const command = menu.removeCommand(version);
  if (menu.fixedRows || command === undefined) return undefined;
  return step(context, {
    command: command as Step["command"],
    target: targetOf(menu, existing),
    values: {},
    secrets: {},
    inverse: undo ? [readding(context, existing, undo.before)] : [],
    touchesManagementPath: managementPath,
    reportOnly: context.reportOnly,
  });
}

/** @param before the row it is put before @param wasBefore the one it stood before; undefined for the end */
export function moveStep(
  context: StepContext,
  existing: Row,
  { before, wasBefore, managementPath }: { before: Row; wasBefore: Row | undefined; managementPath: boolean },
): Step {
  const row = byKey(context, existing[context.menu.key] ?? "");
  // To the end there is no `move`.
  const inverse: Inverse[] = wasBefore
    ? [{ command: "move", row, values: {}, before: reference(context, wasBefore) }]
    : [{ command: "remove", row, values: {} }, readding(context, existing, undefined)];
  return step(context, {
    command: "move",
    target: targetOf(context.menu, existing),
    values: { destination: before[".id"] ?? "" },
    secrets: {},
    inverse,
    touchesManagementPath: managementPath,
    reportOnly: context.reportOnly,
  });
}

function readding(context: StepContext, row: Row, before: Row | undefined): Inverse {
  const { menu, version } = context;
  return {
    command: "add",
    row: byKey(context, row[menu.key] ?? ""),
    values: writtenFields(menu, row, version),
    before: before && reference(context, before),
  };
}

/** What of a row was written by somebody, as `add` takes it. */
function writtenFields(menu: MenuFacts, row: Row, version: RouterOsVersion): Record<string, string> {
  const written = Object.entries(menu.fields).flatMap(([name, facts]) => {
    const value = readField(facts, name, row);
    return value === undefined || isDefault(facts, value) ? [] : [[name, value]];
  });
  return wireValues(menu, Object.fromEntries(written), {}, version);
}

/** A value that a row has of itself: another row without it is the same. */
export function isDefault(facts: Pick<FieldFacts, "kind" | "default">, value: string): boolean {
  return value === "" || canonical(facts.kind, value) === canonical(facts.kind, facts.default);
}

function wireValues(
  menu: MenuFacts,
  fields: Fields,
  observed: Fields,
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

function targetOf({ key: field }: MenuFacts, row: Row): Step["target"] {
  const id = row[".id"];
  return { field, key: row[field] ?? "", ...(id === undefined ? {} : { id }) };
}

function reference(context: StepContext, row: Row): RowReference {
  return context.owns(row) ? byKey(context, row[context.menu.key] ?? "") : { id: row[".id"] ?? "" };
}

function byKey({ menu, version }: StepContext, key: string): RowReference {
  const shared = menu.dynamicSince !== undefined && atLeast(version, menu.dynamicSince);
  return { field: menu.key, key, ...(shared ? { notDynamic: true } : {}) };
}

function step({ menu }: StepContext, parts: Omit<Step, "menu" | "text">): Step {
  const whole = { menu: menu.path, ...parts };
  return { ...whole, text: describe(whole) };
}
