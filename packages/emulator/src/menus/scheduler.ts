import { formatTime, readDate } from "../clock.ts";
import { refusals } from "../refusal.ts";
import { boolean, duration, listOf, readSeconds, text, type ValueType } from "../values.ts";
import { requireDevice } from "./device-mode.ts";
import type { MenuFor } from "./menu.ts";
import { resolvePolicy } from "./script.ts";
import { policyNames } from "./user-group.ts";

/** Dates are taken in the form the version prints. */
const date = (isoDates: boolean): ValueType => ({
  read(value, argument) {
    const form = isoDates ? /^\d{4}-/ : /^[a-z]{3}\//i;
    if (!form.test(value) || readDate(value) === undefined) throw refusals.invalidValue(argument);
    return value.toLowerCase();
  },
});

const startTime: ValueType = {
  read(value, argument) {
    if (value === "startup") return value;
    const seconds = /^\d{1,2}:\d{2}:\d{2}$/.test(value) ? readSeconds(value.padStart(8, "0")) : undefined;
    if (seconds === undefined || seconds >= 86_400) throw refusals.invalidValue(argument);
    return value.padStart(8, "0");
  },
};

const DAYS = listOf(["sun", "mon", "tue", "wed", "thu", "fri", "sat"]);

/** Weekdays, or `always` or `never` alone. */
const days: ValueType = {
  read: (value, argument) => (value === "always" || value === "never" ? value : DAYS.read(value, argument)),
};

/** Longest interval: the longest time the schema dumps show, seconds. */
const MAX_INTERVAL = 21_474_836 * 100;

export const scheduler: MenuFor = (features) => ({
  path: "/system/scheduler",
  nameField: "name",
  commands: [
    "print",
    "getall",
    "get",
    "listen",
    "add",
    "set",
    ...(features.schedulerDays ? (["unset"] as const) : []),
    "remove",
    "enable",
    "disable",
    "comment",
  ],
  fields: {
    name: { type: text, required: true },
    "start-date": { type: date(features.isoDates) },
    "start-time": { type: startTime },
    interval: { type: duration(0, MAX_INTERVAL), default: "0s" },
    ...(features.schedulerDays ? { days: { type: days, clearable: true } } : {}),
    "on-event": { type: text, default: "" },
    owner: { type: text, readOnly: true },
    policy: { type: listOf(policyNames(features)) },
    "run-count": { type: text, readOnly: true },
    "next-run": { type: text, readOnly: true },
    disabled: { type: boolean, default: "false" },
    comment: { type: text, clearable: true },
  },
  unique: { fields: ["name"], refusal: "already have such name" },
  computed(router, item): Record<string, string> {
    const next = router.scheduler.nextRun(item);
    const count = { "run-count": String(router.jobs.runsOf(item).count) };
    return next === undefined ? count : { ...count, "next-run": next };
  },
  check(router, change) {
    if (change.command === "remove") return undefined;
    requireDevice(router, "scheduler");
    resolvePolicy(change);
    const { after } = change;
    after.owner ??= change.username ?? "admin";
    const now = formatTime(router.clock.now(), features.isoDates);
    after["start-date"] ??= now.slice(0, -9);
    after["start-time"] ??= now.slice(-8);
    return undefined;
  },
});
