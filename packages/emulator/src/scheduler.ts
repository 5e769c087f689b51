import type { Caller } from "./caller.ts";
import { formatTime, readDate } from "./clock.ts";
import { deviceAllows } from "./menus/device-mode.ts";
import type { MenuHost } from "./menus/menu.ts";
import { policiesOf } from "./menus/script.ts";
import { refusals } from "./refusal.ts";
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
  /** By the time of day. */
  readonly dueMs: number;
  readonly forget: () => void;
}

const settingsOf = ({ values }: Item): string =>
  ["start-date", "start-time", "interval", "days", "disabled"].map((name) => values[name] ?? "").join("|");

/** Runs the entries of `/system/scheduler` when the router's clock says so. */
export class Scheduler {
  readonly #router: MenuHost;
  readonly #armed = new Map<Item, Armed>();
  #on = false;

  constructor(router: MenuHost) {
    this.#router = router;
    router.clock.onSet(() => this.#clockSet());
  }

  /** The router has started: `startup` counts from now. */
  boot(): void {
    this.#on = true;
    for (const item of this.#router.table(SCHEDULER_MENU).items) this.#arm(item, true);
  }

  /** Schedules follow the time of day; those from `startup` on count from the start and continue as they are. */
  #clockSet(): void {
    if (!this.#on) return;
    for (const item of this.#router.table(SCHEDULER_MENU).items) {
      if (item.values["start-time"] !== "startup") this.#arm(item, false);
    }
  }

  halt(): void {
    this.#on = false;
    for (const { forget } of this.#armed.values()) forget();
    this.#armed.clear();
  }

  /** "2026-09-26 03:00:00" of the next run; undefined where there will be none. */
  nextRun(item: Item): string | undefined {
    const armed = this.#armed.get(item);
    if (!armed || isAtStartup(item.values)) return undefined;
    return formatTime(armed.dueMs, this.#router.features.isoDates);
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
    const { clock } = this.#router;
    const forget = clock.alarm(dueMs - clock.now(), () => this.#due(item, dueMs));
    this.#armed.set(item, { settings: settingsOf(item), dueMs, forget });
  }

  #due(item: Item, dueMs: number): void {
    const { settings } = this.#armed.get(item) ?? {};
    this.#armed.delete(item);
    if (settings === undefined) return;
    this.#await(item, nextRun(item.values, dueMs, this.#router.clock.now()));
    if (!deviceAllows(this.#router, "scheduler")) return;
    this.#router.jobs.countRun(item);
    this.#run(item).catch((error) => {
      const { name = "" } = item.values;
      this.#router.jobs.logFailure(name, error, `scheduler:${name}`);
    });
  }

  /** A script by its name, or the text is the script; either runs with the rights of the entry. */
  async #run(item: Item): Promise<unknown> {
    const { owner, name = "", "on-event": event = "" } = item.values;
    const caller: Caller = { username: owner, policies: policiesOf(item) };
    const script = this.#router.table("/system/script").items.find(({ values }) => values.name === event);
    if (!script) return this.#router.jobs.run(event, caller, { script: name });
    const allowed =
      script.values["dont-require-permissions"] === "true" ||
      [...policiesOf(script)].every((policy) => caller.policies.has(policy));
    if (!allowed) throw refusals.notPermitted();
    return this.#router.jobs.runItem(script, caller);
  }
}

type Values = Readonly<Record<string, string>>;

const intervalOf = (values: Values): number => (readSeconds(values.interval ?? "0s") ?? 0) * 1000;

const isAtStartup = (values: Values): boolean =>
  values["start-time"] === "startup" && intervalOf(values) === 0;

const startOf = (values: Values): number =>
  (readDate(values["start-date"] ?? "") ?? 0) + timeOf(values) * 1000;

const timeOf = (values: Values): number => readSeconds(values["start-time"] ?? "") ?? 0;

/** When an entry runs first, later than `now`; undefined for never. */
function firstRun(values: Values, now: number, starting: boolean): number | undefined {
  if (values["start-time"] === "startup") {
    const interval = intervalOf(values);
    // With an interval it doesn't run at the start but one interval later.
    if (interval > 0) return now + (starting ? STARTUP_MS : 0) + interval;
    return starting ? now + STARTUP_MS : undefined;
  }
  // What starts at this very moment has its first run an interval from now.
  return values.days ? onItsDays(values, now) : aligned(values, now);
}

/** The run after the one at `dueMs`; from `startup` on intervals run whatever the time of day. */
function nextRun(values: Values, dueMs: number, now: number): number | undefined {
  const interval = intervalOf(values);
  if (values["start-time"] === "startup") return interval > 0 ? now + interval : undefined;
  return values.days ? onItsDays(values, dueMs) : aligned(values, dueMs);
}

/** Start plus whole intervals. */
function aligned(values: Values, now: number): number | undefined {
  const [start, interval] = [startOf(values), intervalOf(values)];
  if (start > now) return start;
  if (interval === 0) return undefined;
  return start + (Math.floor((now - start) / interval) + 1) * interval;
}

/**
 * With `days` each of them starts again at the start time and continues by intervals until its end; without an interval
 * it has one run. An interval of a day or more is not supported then. Source: manual, "Scheduler", weekdays.
 */
function onItsDays(values: Values, now: number): number | undefined {
  const interval = intervalOf(values);
  if (interval >= DAY_MS) return undefined;
  const days = (values.days ?? "").split(",");
  const firstDay = Math.max(dayOf(startOf(values)), dayOf(now));
  // The same day of the next week at the latest.
  for (let day = firstDay; day <= firstDay + 7 * DAY_MS; day += DAY_MS) {
    const name = DAYS[new Date(day).getUTCDay()] ?? "";
    if (!days.includes(name) && !days.includes("always")) continue;
    const start = day + timeOf(values) * 1000;
    const due =
      start > now || interval === 0 ? start : start + (Math.floor((now - start) / interval) + 1) * interval;
    if (due > now && due < day + DAY_MS) return due;
  }
  return undefined;
}

const dayOf = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;
