/**
 * Rows of a menu whose order means something, `/ip/firewall/filter`. Pure.
 *
 * Only rows of one chain have an order among each other. Of ours those without a place of their own keep the order in
 * which they are wanted; one with a place (the jump into our chain) stands directly before a row that is not ours, or
 * at the end. Other people's rows are never moved.
 */
import type { Row } from "@portreeve/routeros";
import { placeAmong } from "./placement.ts";
import { addStep, isDefault, moveStep, removeStep, type StepContext, setStep } from "./steps.ts";
import type { DesiredRow, Step } from "./types.ts";

/** Bring the wanted rows about, in one menu, in their order. Rows no longer wanted are left to the caller. */
export function orderedChanges(
  context: StepContext,
  rows: readonly DesiredRow[],
  observed: readonly Row[],
): Step[] {
  const present = ownRows(context, rows, observed);
  const kept = new Map(
    rows.flatMap((row) => {
      const existing = present.get(row.key);
      return existing && !hasMore(context, existing, row) ? [[row.key, existing]] : [];
    }),
  );
  const chains = Map.groupBy(rows, (row) => row.fields.chain ?? "");
  return [...chains.values()].flatMap((chain) => [
    ...inOrder(context, chain, kept, observed),
    ...chain.flatMap((row, i) => {
      const existing = kept.get(row.key);
      const changed = existing ? undefined : present.get(row.key);
      const removal = changed ? removed(context, row, changed, observed) : [];
      if (row.place) return [...removal, ...placed(context, row, row.place, existing, observed)];
      if (existing) return setStep(context, row, existing) ?? [];
      const follower = chain.slice(i + 1).find(({ key }) => kept.has(key));
      return [...removal, addStep(context, row, follower && kept.get(follower.key))];
    }),
  ]);
}

/** The wanted rows that are there, by key: of several with one key the first. */
export function ownRows(
  { menu, owns }: StepContext,
  rows: readonly DesiredRow[],
  observed: readonly Row[],
): Map<string, Row> {
  const present = new Map<string, Row>();
  for (const { key } of rows) {
    const row = observed.find((candidate) => candidate[menu.key] === key && owns(candidate));
    if (row) present.set(key, row);
  }
  return present;
}

/** Before its successor with the same key is added: undone in the opposite order, the key never means two rows. */
function removed(
  context: StepContext,
  { managementPath }: DesiredRow,
  row: Row,
  observed: readonly Row[],
): Step[] {
  const undo = { before: observed[observed.indexOf(row) + 1] };
  const step = removeStep(context, row, { managementPath: managementPath === true, undo });
  return step ? [step] : [];
}

/** A matcher that is not ours makes another rule of it, and not every one can be taken away by `set`. */
function hasMore({ menu }: StepContext, row: Row, desired: DesiredRow): boolean {
  return Object.entries(row).some(([name, value]) => {
    if (name.startsWith(".") || name === menu.key || name in desired.fields) return false;
    if (name in (menu.readOnly ?? {})) return false;
    return !isDefault(menu.fields[name] ?? { kind: "text" }, value);
  });
}

/** From the last to the first: a row that stands behind the one it should precede is moved before it. */
function inOrder(
  context: StepContext,
  chain: readonly DesiredRow[],
  kept: ReadonlyMap<string, Row>,
  observed: readonly Row[],
): Step[] {
  const order = [...observed];
  const steps: Step[] = [];
  let follower: Row | undefined;
  for (const row of chain.filter(({ key, place }) => !place && kept.has(key)).toReversed()) {
    const current = kept.get(row.key) as Row;
    if (follower && order.indexOf(current) > order.indexOf(follower)) {
      const wasBefore = order[order.indexOf(current) + 1];
      order.splice(order.indexOf(current), 1);
      order.splice(order.indexOf(follower), 0, current);
      steps.push(
        moveStep(context, current, {
          before: follower,
          wasBefore,
          managementPath: row.managementPath === true,
        }),
      );
    }
    follower = current;
  }
  return steps;
}

/** One row at a place among other people's. To the end of a menu there is no `move`: it is made anew there. */
function placed(
  context: StepContext,
  row: DesiredRow,
  place: NonNullable<DesiredRow["place"]>,
  existing: Row | undefined,
  observed: readonly Row[],
): Step[] {
  const before = placeAmong(
    place,
    observed.filter((other) => !context.owns(other)),
  );
  if (!existing) return [addStep(context, row, before)];
  const change = setStep(context, row, existing) ?? [];
  const behind = observed.slice(observed.indexOf(existing) + 1);
  const follower = behind.find((other) => other.chain === existing.chain && !context.owns(other));
  if (follower === before) return [change].flat();
  const managementPath = row.managementPath === true;
  if (before) {
    return [change, moveStep(context, existing, { before, wasBefore: behind[0], managementPath })].flat();
  }
  return [...removed(context, row, existing, observed), addStep(context, row)];
}
