/**
 * Wire text to values and back, where the caller knows what a field holds. The codec never guesses: a comment
 * that reads "yes" stays a comment.
 *
 * Every `parse` throws InvalidValueError for a text of another form. Forms from the MikroTik manual ("REST API",
 * "Scheduler") and from captured replies of RouterOS 3 to 7.
 */

import { InvalidValueError } from "./errors.ts";

function noSuch(what: string, text: string): InvalidValueError {
  return new InvalidValueError(`not a ${what}: ${JSON.stringify(text.slice(0, 60))}`, {
    operation: `parse ${what}`,
  });
}

/** RouterOS reads `true` and `false` back, RouterOS 3 did `yes` and `no`; both are accepted. */
export function parseBoolean(text: string): boolean {
  if (text === "true" || text === "yes") return true;
  if (text === "false" || text === "no") return false;
  throw noSuch("boolean", text);
}

/** `yes` or `no`, which every version takes. */
export function formatBoolean(value: boolean): "yes" | "no" {
  return value ? "yes" : "no";
}

const ID = /^\*[0-9A-F]{1,13}$/;

/** Whether a text is an item's `.id`, such as `*28E`, and not a name. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** The number behind an `.id`: 654 for `*28E`. Ids are not contiguous and tell nothing of the order. */
export function parseId(text: string): number {
  if (!isId(text)) throw noSuch("id", text);
  return Number.parseInt(text.slice(1), 16);
}

/** `*28E` for 654. */
export function formatId(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw noSuch("id", String(value));
  return `*${value.toString(16).toUpperCase()}`;
}

/** The elements of a comma list, in order; the empty text is the empty list. */
export function parseList(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

/** A comma list. There is no way to write an element that is empty or holds a comma: InvalidValueError. */
export function formatList(elements: readonly string[]): string {
  const odd = elements.find((element) => element === "" || element.includes(","));
  if (odd !== undefined) throw noSuch("list element", odd);
  return elements.join(",");
}

/** Units in RouterOS's order, in microseconds, its finest. */
const UNITS = [
  ["w", 604_800_000_000],
  ["d", 86_400_000_000],
  ["h", 3_600_000_000],
  ["m", 60_000_000],
  ["s", 1_000_000],
  ["ms", 1_000],
  ["us", 1],
] as const;

const DURATION =
  /^(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?(?:(\d{1,9})us)?$/;
const CLOCK = /^(\d{1,4}):([0-5]\d):([0-5]\d)$/;

/**
 * Milliseconds (with a fraction where there are microseconds) of `1w2d3h4m5s`, `10ms`, `551us` or, as old
 * versions answer and all accept, `01:22:53`; undefined for `none`.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === "none") return undefined;
  const clock = CLOCK.exec(text);
  if (clock) return (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1000;
  const parts = DURATION.exec(text);
  if (!parts || text === "") throw noSuch("duration", text);
  const micros = UNITS.reduce((sum, [, size], i) => sum + Number(parts[i + 1] ?? 0) * size, 0);
  return micros / 1000;
}

/** `1w2d3h4m5s` with the parts that are zero left out, down to microseconds; `0s` for nothing. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) throw noSuch("duration", `${ms} ms`);
  let rest = Math.round(ms * 1000);
  let text = "";
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text || "0s";
}

/** A point on the router's own clock. RouterOS prints no zone: what it is in UTC, only the router knows. */
export interface RouterDateTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** How dates are written: `2026-09-26 03:00:00` in current versions, `mar/30/2004 06:11:35` in RouterOS 6. */
export type DateForm = "iso" | "month-name";

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const ISO = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;
const MONTH_NAME = /^([a-z]{3})\/(\d\d)\/(\d{4}) (\d\d):(\d\d):(\d\d)$/;

/** Read a date and time of either form. */
export function parseDateTime(text: string): RouterDateTime {
  const iso = ISO.exec(text);
  const named = iso ? null : MONTH_NAME.exec(text);
  const [year, month, day] = iso
    ? [Number(iso[1]), Number(iso[2]), Number(iso[3])]
    : [Number(named?.[3]), MONTHS.indexOf(named?.[1] ?? "") + 1, Number(named?.[2])];
  const [hour, minute, second] = (iso ?? named ?? []).slice(4, 7).map(Number);
  const value = { year, month, day, hour: hour ?? 0, minute: minute ?? 0, second: second ?? 0 };
  if (!(iso || named) || !isOnTheCalendar(value)) throw noSuch("date", text);
  return value;
}

/** Write a date and time in the form the router's version uses. */
export function formatDateTime(value: RouterDateTime, form: DateForm): string {
  if (!isOnTheCalendar(value)) throw noSuch("date", JSON.stringify(value));
  const two = (part: number) => String(part).padStart(2, "0");
  const year = String(value.year).padStart(4, "0");
  const time = [value.hour, value.minute, value.second].map(two).join(":");
  if (form === "iso") return `${year}-${two(value.month)}-${two(value.day)} ${time}`;
  return `${MONTHS[value.month - 1]}/${two(value.day)}/${year} ${time}`;
}

function isOnTheCalendar({ year, month, day, hour, minute, second }: RouterDateTime): boolean {
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  return (
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  );
}
