/**
 * The rollback timer: an entry in the router's own scheduler that undoes a change of the management path, unless Portreeve has logged
 * in again under the new rules and removed it. It needs neither the link nor Portreeve to fire.
 *
 * Two entries with one script: one runs after {@link ROLLBACK_TIMER_SECONDS}, the other at the next start, because a clock
 * that begins at 1970 again would let the first one wait for years. (`startup` with an interval does not run at the
 * start; MikroTik manual, "Scheduler".)
 */
import {
  anyOf,
  identifier,
  itemId,
  menu,
  type Placeholder,
  type Script,
  script,
  value,
} from "@portreeve/routeros";
import type { MenuRead } from "./link.ts";
import { withArguments } from "./script-arguments.ts";
import type { Inverse, RowReference, Step } from "./types.ts";

/** Seconds until the router undoes the change. A new login has to be there by then. */
export const ROLLBACK_TIMER_SECONDS = 90;

export const SCHEDULER = "/system/scheduler";
const TIMED = "portreeve-rollback-timer";
const AT_STARTUP = "portreeve-rollback-timer-startup";
/** Their names before 0.2.0: a change that an earlier version began is confirmed by this one. */
const FORMER = { timed: "portreeve-dead-man", atStartup: "portreeve-dead-man-startup" };
export const TIMED_NAMES = [TIMED, FORMER.timed];
const COMMENT = "portreeve: undoes a change of the management path";
/** Rights of the entries: what the steps need, and our own user has. */
const POLICY = "read,write,policy";

/** One of the two entries, by the scheduler's own property names. */
export type TimerEntry = Readonly<Record<string, string>>;

/** The entries that undo these steps. @param seconds how long the new rules have to prove themselves */
export function rollbackTimer(
  steps: readonly Step[],
  seconds = ROLLBACK_TIMER_SECONDS,
): readonly TimerEntry[] {
  const event = { "on-event": undoScript(steps).text, policy: POLICY, comment: COMMENT };
  return [
    { name: AT_STARTUP, "start-time": "startup", ...event },
    { name: TIMED, interval: `${seconds}s`, ...event },
  ];
}

/** The entries that are on a router now. */
export const rollbackTimerRead: MenuRead = {
  menu: SCHEDULER,
  prints: [
    { queries: anyOf("name", [...TIMED_NAMES, AT_STARTUP, FORMER.atStartup]), proplist: [".id", "name"] },
  ],
  optional: false,
};

/**
 * The script that undoes the steps, the last one first, and then removes its own entries. One step that can't be
 * undone does not keep the others from it.
 */
function undoScript(steps: readonly Step[]): Script {
  const undoing = steps
    .toReversed()
    .flatMap((step) => step.inverse.map((inverse) => undo(step.menu, inverse)));
  return script`${undoing}
:do { :log warning ${value("portreeve: no new login came, the change of the management path is undone")} } on-error={}
${[AT_STARTUP, TIMED].map(removal)}`;
}

/** What takes the entries away, whichever version of ours made them. */
export function removeRollbackTimer(): readonly Script[] {
  return [TIMED, FORMER.timed, AT_STARTUP, FORMER.atStartup].map(removal);
}

function removal(name: string): Script {
  return script`:do { /system scheduler remove [find where name=${value(name)}] } on-error={}`;
}

function undo(path: string, { command, row, values, before }: Inverse): Script {
  const where = script`${menu(path)} ${identifier(command)}`;
  if (command !== "add") {
    const found = row ? script`${where} ${reference(row)}` : where;
    return attempt(before ? placed(found, "destination", before) : withArguments(found, values));
  }
  const key = row && "key" in row ? { [row.field]: row.key } : {};
  const added = withArguments(where, { ...key, ...values });
  // What it stood before may be gone: then it goes to the end.
  const fallback = attempt(added);
  return before
    ? script`:do { ${placed(added, "place-before", before)} } on-error={ ${fallback} }`
    : fallback;
}

function attempt(step: Script): Script {
  return script`:do { ${step} } on-error={}`;
}

function placed(command: Script, argument: "place-before" | "destination", row: RowReference): Script {
  return "id" in row
    ? script`${command} ${identifier(argument)}=${itemId(row.id)}`
    : script`${command} ${identifier(argument)}=[find where ${isIt(row)}]`;
}

function reference(row: RowReference): Placeholder {
  return "id" in row ? itemId(row.id) : script`[find where ${isIt(row)}]`;
}

function isIt(row: Extract<RowReference, { key: string }>): Script {
  const byKey = script`${identifier(row.field)}=${value(row.key)}`;
  return row.notDynamic ? script`${byKey} and !dynamic` : byKey;
}
