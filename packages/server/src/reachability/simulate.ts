import { canonical, ipService, type Row } from "@portreeve/routeros";
import type { Observed, Step } from "../reconcile/types.ts";

/**
 * The rows as they will be once the router has carried out these steps: what a plan does, without a router.
 * New rows have made-up ids (`*new1`) that no router uses; secrets are left out, as `print` leaves them out.
 * @returns the menus the steps touch are copies, the others the same
 */
export function simulate(observed: Observed, steps: readonly Step[]): Observed {
  const menus = new Map(observed);
  for (const [number, step] of steps.entries()) {
    if (step.reportOnly) continue; // it is shown, and not delivered
    menus.set(step.menu, after(menus.get(step.menu) ?? [], step, `*new${number + 1}`));
  }
  return menus;
}

function after(rows: readonly Row[], step: Step, newId: string): readonly Row[] {
  const index = indexOf(rows, step);
  const row = rows[index];
  switch (step.command) {
    case "add": {
      const { "place-before": before, ...values } = step.values;
      return inserted(rows, { ".id": newId, ...printed(values) }, before);
    }
    case "set":
      return row ? rows.with(index, changed(row, step)) : rows;
    case "move":
      return row ? inserted(rows.toSpliced(index, 1), row, step.values.destination) : rows;
    case "sign":
    case "create-certificate-request":
    case "import":
      return rows; // what they make is not seen in advance
    default: // remove, under whatever name the menu has for it
      return row ? rows.toSpliced(index, 1) : rows;
  }
}

/** @param before the `.id` to go in front of; without one, or where it is gone, a row goes to the end */
function inserted(rows: readonly Row[], row: Row, before: string | undefined): readonly Row[] {
  const index = before === undefined ? -1 : rows.findIndex((other) => other[".id"] === before);
  return rows.toSpliced(index === -1 ? rows.length : index, 0, row);
}

function indexOf(rows: readonly Row[], { target }: Step): number {
  if (target.id !== undefined) return rows.findIndex((row) => row[".id"] === target.id);
  if (target.key === "") return 0; // the row of a menu that has only one
  return rows.findIndex((row) => row[target.field] === target.key);
}

function changed(row: Row, { menu, values }: Step): Row {
  const kept = { ...row };
  // One property under two names: what is written under one is read back under it alone.
  if (menu === ipService.path && ("address" in values || "available-from" in values)) {
    for (const name of ipService.fields.address.alsoReadAs) delete kept[name];
  }
  return { ...kept, ...printed(values) };
}

/** As `print` shows what was written: `true` for `yes`. */
function printed(values: Readonly<Record<string, string>>): Row {
  const shown = Object.entries(values).map(([name, value]) => [
    name,
    name === "disabled" || name === "log" ? canonical("boolean", value) : value,
  ]);
  return Object.fromEntries(shown);
}
