import ipaddr from "ipaddr.js";
import { formatSeconds, readSeconds } from "../values.ts";
import type { ArrayItem, Value } from "./ast.ts";

export type { ArrayItem, Value } from "./ast.ts";

export const NOTHING: Value = { type: "nothing" };
export const NIL: Value = { type: "nil" };
export const str = (value: string): Value => ({ type: "str", value });
export const num = (value: bigint | number): Value => ({
  type: "num",
  value: BigInt.asIntN(64, BigInt(value)),
});
export const bool = (value: boolean): Value => ({ type: "bool", value });
export const id = (value: string): Value => ({ type: "id", value });
export const list = (values: readonly Value[]): Value => ({
  type: "array",
  items: values.map((value) => ({ key: undefined, value })),
});

/** Elements without a key in their order, then those with one by its alphabet; the last of a key counts. */
export function array(items: readonly ArrayItem[]): Value {
  const keyed = new Map<string, Value>();
  for (const { key, value } of items) if (key !== undefined) keyed.set(key, value);
  const sorted = [...keyed].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const plain = items.filter(({ key }) => key === undefined);
  return { type: "array", items: [...plain, ...sorted.map(([key, value]) => ({ key, value }))] };
}

export const record = (entries: Readonly<Record<string, Value>>): Value =>
  array(Object.entries(entries).map(([key, value]) => ({ key, value })));

/** "1d05:00:00" as the console prints a time inside a script. */
function formatTime(ms: number): string {
  const sign = ms < 0 ? "-" : "";
  const whole = Math.floor(Math.abs(ms) / 1000);
  const rest = Math.abs(ms) % 1000;
  const days = Math.floor(whole / 86_400);
  const weeks = Math.floor(days / 7);
  const two = (part: number) => String(part).padStart(2, "0");
  const clock = [Math.floor((whole % 86_400) / 3600), Math.floor((whole % 3600) / 60), whole % 60]
    .map(two)
    .join(":");
  const date = `${weeks > 0 ? `${weeks}w` : ""}${days % 7 > 0 ? `${days % 7}d` : ""}`;
  return `${sign}${date}${clock}${rest > 0 ? `.${String(rest).padStart(3, "0")}` : ""}`;
}

/** What `:tostr` and `:put` make of a value. */
export function render(value: Value): string {
  switch (value.type) {
    case "nothing":
    case "nil":
      return "";
    case "bool":
    case "num":
      return String(value.value);
    case "time":
      return formatTime(value.value);
    case "array":
      return value.items
        .map(({ key, value: inner }) => (key === undefined ? render(inner) : `${key}=${render(inner)}`))
        .join(";");
    case "code":
      return value.code.source;
    default:
      return value.value;
  }
}

/** What an argument of a menu command is given: lists become comma lists, times RouterOS's spelling. */
export function wireText(value: Value): string {
  if (value.type === "array") return value.items.map((item) => wireText(item.value)).join(",");
  if (value.type === "time" && value.value % 1000 === 0 && value.value >= 0) {
    return formatSeconds(value.value / 1000);
  }
  return render(value);
}

const TIME_UNITS: readonly (readonly [RegExp, number])[] = [
  [/(\d+)w/, 604_800_000],
  [/(\d+)d/, 86_400_000],
  [/(\d+)h/, 3_600_000],
  [/(\d+)m(?!s)/, 60_000],
  [/(\d+)s/, 1000],
  [/(\d+)ms/, 1],
];
const UNITS_FORM = /^(?=\d)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/;
const CLOCK_FORM = /^(\d+w)?(\d+d)?(\d{1,2}):(\d{2}):(\d{2})(\.\d{1,3})?$/;

/** Milliseconds of `1w2d3h4m5s6ms`, `00:05:00` or `1d00:05:00`; undefined for anything else. */
export function readTime(text: string): number | undefined {
  const clock = CLOCK_FORM.exec(text);
  if (clock) {
    const days = (readSeconds(`${clock[1] ?? ""}${clock[2] ?? ""}` || "0s") ?? 0) * 1000;
    const [h, m, s] = [Number(clock[3]), Number(clock[4]), Number(clock[5])];
    return days + ((h * 60 + m) * 60 + s) * 1000 + Math.round(Number(`0${clock[6] ?? ""}`) * 1000);
  }
  if (!UNITS_FORM.test(text)) return undefined;
  return TIME_UNITS.reduce((sum, [unit, ms]) => sum + Number(unit.exec(text)?.[1] ?? 0) * ms, 0);
}

const INTEGER = /^-?(\d{1,19}|0x[0-9a-fA-F]{1,16})$/;
const MAX = 2n ** 63n;

function readInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
  return value < MAX && value >= -MAX ? value : undefined;
}

function readAddress(text: string): Value | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) {
    if (bits === undefined) return { type: "ip", value: text };
    return Number(bits) <= 32 ? { type: "ip-prefix", value: text } : undefined;
  }
  if (!address.includes(":") || !ipaddr.IPv6.isValid(address)) return undefined;
  if (bits === undefined) return { type: "ip6", value: text };
  return Number(bits) <= 128 ? { type: "ip6-prefix", value: text } : undefined;
}

/** The value a bare word stands for: number, boolean, time, address or id; a string otherwise. */
export function readWord(text: string): Value {
  if (text === "true" || text === "false") return bool(text === "true");
  if (/^\*[0-9A-Fa-f]+$/.test(text)) return id(text.toUpperCase());
  const integer = readInteger(text);
  if (integer !== undefined) return num(integer);
  const ms = readTime(text);
  if (ms !== undefined) return { type: "time", value: ms };
  return readAddress(text) ?? str(text);
}
