/**
 * The planner: a pure diff of desired rows against observed rows. No database, no socket, no clock.
 *
 * Order of the result: rows added and set (groups before the users in them), rows removed (users before their
 * groups, then their sessions), and last whatever touches the management path, because the connection may not outlive it.
 * Planning again after the steps were carried out gives an empty plan, or, where services pass ports on to each
 * other in a ring, the steps that were not possible before.
 */
import { canonical, isSkipped, type RouterOsVersion, type Row } from "@portreeve/routeros";
import { managementPathLast, withoutCollisions } from "./exclusive.ts";
import { orderedChanges, ownRows } from "./ordered.ts";
import { matches } from "./rows.ts";
import { addStep, makeStep, removeStep, type StepContext, setStep } from "./steps.ts";
import type { DesiredMenu, DesiredRow, NextCommand, Observed, Plan, Step } from "./types.ts";

/** @throws PlanError when a row that is wanted can't exist on this router */
export function plan(desired: readonly DesiredMenu[], observed: Observed, version: RouterOsVersion): Plan {
  const menus = mergeByMenu(desired)
    .filter(({ menu }) => observed.has(menu.path))
    .sort((a, b) => a.menu.rank - b.menu.rank);
  const changes = menus.flatMap((menu) => changesOf(contextOf(menu, version), menu, observed));
  const removals = menus
    .toReversed()
    .flatMap((menu) => removalsOf(contextOf(menu, version), menu, rowsOf(menu, observed)));
  return { steps: managementPathLast([...changes, ...removals]) };
}

/** A row that is wanted and can't be had: a built-in row this router lacks. */
export class PlanError extends Error {
  override readonly name = "PlanError";
}

/** One menu, as all modules together want it. */
interface MergedMenu extends Pick<DesiredMenu, "menu" | "rows"> {
  readonly owns: (row: Row) => boolean;
  readonly managementPath: (row: Row) => boolean;
  readonly reportOnly: boolean;
}

/** Modules may share a menu (`/user`): their rows add up, and a row is owned when one of them owns it. */
function mergeByMenu(desired: readonly DesiredMenu[]): MergedMenu[] {
  const byPath = Map.groupBy(desired, ({ menu }) => menu.path);
  return [...byPath.values()].map((parts) => ({
    menu: (parts[0] as DesiredMenu).menu,
    rows: mergeByKey(parts.flatMap(deliveredRows)),
    owns: (row) => parts.some(({ owns }) => matches(owns, row)),
    managementPath: (row) => parts.some(({ managementPath = "none" }) => matches(managementPath, row)),
    reportOnly: parts.some(({ reportOnly }) => reportOnly === true),
  }));
}

/** What one module is only to report, another one may be to deliver. */
function deliveredRows({ rows, reportOnly }: DesiredMenu): readonly DesiredRow[] {
  return reportOnly ? rows : rows.map((row) => ({ ...row, alwaysRepaired: true }));
}

/** Modules may share a row (`api-ssl` of `/ip/service`): what they say of it adds up. */
function mergeByKey(rows: readonly DesiredRow[]): DesiredRow[] {
  const byKey = new Map<string, DesiredRow>();
  for (const row of rows) {
    const earlier = byKey.get(row.key);
    byKey.set(row.key, earlier ? { ...earlier, ...row, fields: { ...earlier.fields, ...row.fields } } : row);
  }
  return [...byKey.values()];
}

function contextOf({ menu, owns, reportOnly }: MergedMenu, version: RouterOsVersion): StepContext {
  return { menu, version, owns, reportOnly };
}

function rowsOf({ menu }: MergedMenu, observed: Observed): readonly Row[] {
  const rows = observed.get(menu.path) ?? [];
  return menu.skips ? rows.filter((row) => !isSkipped(menu, row)) : rows;
}

function changesOf(context: StepContext, desired: MergedMenu, observed: Observed): Step[] {
  const { menu, rows } = desired;
  const present = rowsOf(desired, observed);
  if (menu.ordered) return orderedChanges(context, rows, present);
  const existing = (row: DesiredRow) =>
    menu.singleton ? present[0] : present.find((candidate) => candidate[menu.key] === row.key);
  const steps = rows.flatMap((row) => {
    const there = existing(row);
    if (row.nextCommand) return nextCommand(context, row, row.nextCommand) ?? [];
    return (there ? setStep(context, row, there) : missing(context, row)) ?? [];
  });
  const disable = (row: Row) =>
    setStep(context, { key: row[menu.key] ?? "", fields: { disabled: "true" } }, row);
  return withoutCollisions(menu, present, steps, disable);
}

function nextCommand(
  context: StepContext,
  row: DesiredRow,
  next: NextCommand | "add" | "none",
): Step | undefined {
  if (next === "none") return undefined;
  return next === "add" ? addStep(context, row) : makeStep(context, row, next);
}

function missing(context: StepContext, row: DesiredRow): Step | undefined {
  const { menu } = context;
  if (menu.singleton) return undefined; // it did not answer with its row: nothing to set
  if (!menu.fixedRows) return addStep(context, row);
  // A router without a service has nothing of it to close; one that should offer it can't.
  if (canonical("boolean", row.fields.disabled) === "true") return undefined;
  throw new PlanError(`this router has no ${menu.path} "${row.key}"`);
}

/** Rows of ours that nobody wants any more, and the second of two with one key. */
function removalsOf(
  context: StepContext,
  { menu, rows, owns, managementPath }: MergedMenu,
  observed: readonly Row[],
): Step[] {
  const wanted = new Set(rows.map(({ key }) => key));
  const kept = new Set(
    menu.ordered ? ownRows(context, rows, observed).values() : firstOfEach(observed, menu.key),
  );
  const surplus = observed.filter((row) => owns(row) && !(wanted.has(row[menu.key] ?? "") && kept.has(row)));
  const isReadable = !menu.unreadable && !Object.values(menu.fields).some(({ kind }) => kind === "secret");
  return jumpsFirst(surplus).flatMap((row) => {
    const before = menu.ordered && observed[observed.indexOf(row) + 1];
    const undo = isReadable ? { undo: { before: before || undefined } } : {};
    return removeStep(context, row, { managementPath: managementPath(row), ...undo }) ?? [];
  });
}

function firstOfEach(observed: readonly Row[], key: string): Iterable<Row> {
  return new Map(observed.toReversed().map((row) => [row[key], row])).values();
}

/** A chain loses its rules after nobody jumps into it: half a chain could refuse what the whole one lets in. */
function jumpsFirst(rows: readonly Row[]): Row[] {
  return rows.toSorted(
    (a, b) => Number(a["jump-target"] === undefined) - Number(b["jump-target"] === undefined),
  );
}
