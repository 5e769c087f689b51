import { formatTime } from "./clock.ts";
import type { Caller } from "./commands/command.ts";
import { deviceAllows } from "./menus/device-mode.ts";
import { readDate } from "./menus/scheduler.ts";
import { policiesOf } from "./menus/script.ts";
import { refusals } from "./refusal.ts";
import type { Router } from "./router.ts";
import type { Item, TableChange } from "./table.ts";
import { readSeconds } from "./values.ts";

export const SCHEDULER_MENU = "/system/scheduler";

/** `startup` is three seconds after the start. Source: manual, "Scheduler". */
const STARTUP_MS = 3000;
const DAY_MS = 86_400_000;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface Armed {
  /** The settings it was armed for: a new comment starts no time anew. */
  readonly settings: string;
  readonly dueMs: number;
  readonly forget: () => void;
}

const settingsOf = ({ values }: Item): string =>
  ["start-date", "start-time", "interval", "days", "disabled"].map((name) => values[name] ?? "").join("|");

/** Runs the entries of `/system/scheduler` when the router's clock says so. */
export class Scheduler {
  readonly #router: Router;
  readonly #armed = new Map<Item, Armed>();
  #on = false;

  constructor(router: Router) {
    this.#router = router;
  }

  /** The router has started: `startup` counts from now. */
  boot(): void {
    this.#on = true;
    for (const item of this.#router.table(SCHEDULER_MENU).items) this.#arm(item, true);
  }

  halt(): void {
    this.#on = false;
    for (const { forget } of this.#armed.values()) forget();
    this.#armed.clear();
  }

  /** "2026-09-26 03:00:00" of the next run; undefined where there will be none. */
  nextRun(item: Item): string | undefined {
    const armed = this.#armed.get(item);
    return armed && formatTime(armed.dueMs, this.#router.features.isoDates);
  }

  changed({ kind, item }: TableChange): void {
    if (kind === "removed") this.#forget(item);
    else if (this.#on && this.#armed.get(item)?.settings !== settingsOf(item)) this.#arm(item, false);
  }

  #forget(item: Item): void {
    this.#armed.get(item)?.forget();
    this.#armed.delete(item);
  }

  /** @param starting the router has just started; otherwise somebody has added or changed the entry */
  #arm(item: Item, starting: boolean): void {
    this.#forget(item);
    const now = this.#router.clock.now();
    this.#await(item, firstRun(item.values, now, starting));
  }

  #await(item: Item, dueMs: number | undefined): void {
    if (dueMs === undefined || item.values.disabled === "true") return;
    const forget = this.#router.clock.alarm(dueMs, () => this.#due(item, dueMs));
    this.#armed.set(item, { settings: settingsOf(item), dueMs, forget });
  }

  #due(item: Item, dueMs: number): void {
    const { settings } = this.#armed.get(item) ?? {};
    this.#armed.delete(item);
    if (settings === undefined) return;
    const interval = intervalOf(item.values);
    if (interval > 0) this.#await(item, onItsDay(item.values, dueMs + interval, interval));
    if (!deviceAllows(this.#router, "scheduler")) return;
    this.#router.jobs.countRun(item);
    this.#run(item).catch((error) => this.#router.jobs.logFailure(`scheduler ${item.values.name}`, error));
  }

  /** A script by its name, with its own rights if the entry has them; else the text is the script. */
  async #run(item: Item): Promise<unknown> {
    const { owner, name = "", "on-event": event = "" } = item.values;
    const caller: Caller = { username: owner, policies: policiesOf(item) };
    const script = this.#router.table("/system/script").items.find(({ values }) => values.name === event);
    if (!script) return this.#router.jobs.run(event, caller, { script: name });
    const policies = policiesOf(script);
    const allowed =
      script.values["dont-require-permissions"] === "true" ||
      [...policies].every((policy) => caller.policies.has(policy));
    if (!allowed) throw refusals.notPermitted();
    return this.#router.jobs.runItem(script, { username: owner, policies });
  }
}

type Values = Readonly<Record<string, string>>;

const intervalOf = (values: Values): number => (readSeconds(values.interval ?? "0s") ?? 0) * 1000;

/** When an entry runs first, at `now` or later; undefined for never. */
function firstRun(values: Values, now: number, starting: boolean): number | undefined {
  const interval = intervalOf(values);
  if (values["start-time"] === "startup") {
    // With an interval it doesn't run at the start but one interval later.
    if (interval > 0) return onItsDay(values, now + (starting ? STARTUP_MS : 0) + interval, interval);
    return starting ? now + STARTUP_MS : undefined;
  }
  const start =
    (readDate(values["start-date"] ?? "") ?? 0) + (readSeconds(values["start-time"] ?? "") ?? 0) * 1000;
  if (start > now) return onItsDay(values, start, interval);
  if (interval === 0) return undefined;
  return onItsDay(values, start + Math.ceil((now - start + 1) / interval) * interval, interval);
}

/** The first of `at`, `at` + interval, … that lies on one of the entry's days. */
function onItsDay(values: Values, at: number, interval: number): number | undefined {
  const days = (values.days ?? "").split(",").filter((day) => day !== "");
  const fits = (ms: number) => days.length === 0 || days.includes(DAYS[new Date(ms).getUTCDay()] ?? "");
  if (interval === 0 || fits(at)) return fits(at) ? at : undefined;
  // A week has seven chances; an interval of whole weeks may have none.
  for (let due = at; due <= at + Math.max(8 * DAY_MS, 8 * interval); due += interval)
    if (fits(due)) return due;
  return undefined;
}
