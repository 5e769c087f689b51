/**
 * Values that no two enabled rows of a menu may share: the ports of `/ip service`. RouterOS refuses a step that takes
 * a port somebody still has, so the order matters, and sometimes no order is enough. Pure.
 */
import { canonical, type MenuFacts, type Row } from "@portreeve/routeros";
import type { Step } from "./types.ts";

/**
 * Put the steps of one menu into an order in which each value is given up before it is taken.
 * Where there is none (two services swap ports, or one takes the port of the management path, which changes last), the step
 * that would come too early is planned as `disabled=yes`: its row gives its own value up and takes none. The next
 * plan, made from what was read back, gives it its value and enables it.
 * @param steps in the order wanted otherwise; those that touch the management path stay last
 * @param disable the step that disables a row; undefined when it is disabled already
 */
export function withoutCollisions(
  menu: MenuFacts,
  rows: readonly Row[],
  steps: readonly Step[],
  disable: (row: Row) => Step | undefined,
): Step[] {
  const field = menu.exclusive;
  if (field === undefined) return [...steps];
  const taken = new Map(rows.filter(isEnabled).map((row) => [row[field], row[menu.key]]));
  const holderOf = (step: Step) => taken.get(step.values[field]);
  const ordered = managementPathLast(givingUpFirst(steps, holderOf));
  return ordered.flatMap((step, index) => {
    const row = rows.find((candidate) => candidate[menu.key] === step.target.key) ?? {};
    const after = { ...row, ...step.values };
    const holder = isEnabled(after) ? taken.get(after[field]) : undefined;
    const isGivenUpLater = ordered.slice(index + 1).some(({ target }) => target.key === holder);
    if (taken.get(row[field]) === step.target.key) taken.delete(row[field]);
    if (holder !== undefined && holder !== step.target.key && isGivenUpLater) return disable(row) ?? [];
    if (isEnabled(after)) taken.set(after[field], step.target.key);
    return step;
  });
}

/** A row that gives a value up, by taking another or by being disabled, before the row that takes it. */
function givingUpFirst(steps: readonly Step[], holderOf: (step: Step) => string | undefined): Step[] {
  const ordered: Step[] = [];
  const visit = (current: Step, path: ReadonlySet<Step>) => {
    if (ordered.includes(current) || path.has(current)) return;
    const holder = holderOf(current);
    const giver = steps.find((step) => step.target.key === holder);
    if (giver) visit(giver, new Set([...path, current]));
    ordered.push(current);
  };
  for (const current of steps) visit(current, new Set());
  return ordered;
}

/** The connection may not outlive a change of the management path. */
export function managementPathLast(steps: readonly Step[]): Step[] {
  return [
    ...steps.filter((step) => !step.touchesManagementPath),
    ...steps.filter((step) => step.touchesManagementPath),
  ];
}

function isEnabled(row: Readonly<Record<string, string | undefined>>): boolean {
  return canonical("boolean", row.disabled) === "false";
}
