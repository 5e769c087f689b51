import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { type Refusal, refusals } from "./refusal.ts";

/**
 * How a field's text is checked and spelt. Wire text stays text; only the field knows what it means.
 * `read` answers the stored spelling or throws a refusal naming the argument.
 */
export interface ValueType {
  read(text: string, argument: string): string;
}

const type = (
  normalise: (text: string) => string | undefined,
  refusal: (argument: string) => Refusal,
): ValueType => ({
  read(text, argument) {
    const value = normalise(text);
    if (value === undefined) throw refusal(argument);
    return value;
  },
});

/** Any bytes. */
export const text = type((value) => value, refusals.invalidValue);

/** Written `yes`/`no` or `true`/`false`, read back `true`/`false`. */
export const boolean = type((value) => {
  if (value === "yes" || value === "true") return "true";
  if (value === "no" || value === "false") return "false";
  return undefined;
}, refusals.noMatch);

/** Whole number from `low` to `high`, both included. */
export function integer(low: number, high: number): ValueType {
  return {
    read(value, argument) {
      if (!/^\d{1,10}$/.test(value)) throw refusals.invalidValue(argument);
      if (Number(value) < low || Number(value) > high) throw refusals.outOfRange(low, high);
      return String(Number(value));
    },
  };
}

export function oneOf(values: readonly string[]): ValueType {
  return type((value) => (values.includes(value) ? value : undefined), refusals.noMatch);
}

/** Comma list of known words, each perhaps with `!` before it. */
export function listOf(values: readonly string[]): ValueType {
  const known = new Set(values);
  return type((value) => {
    const words = value === "" ? [] : value.split(",");
    return words.every((word) => known.has(word.replace(/^!/, ""))) ? words.join(",") : undefined;
  }, refusals.noMatch);
}

/** `!value` as well as `value`; an empty value clears the field. */
export function matcher(inner: ValueType): ValueType {
  return {
    read(value, argument) {
      if (value === "") return "";
      return value.startsWith("!") ? `!${inner.read(value.slice(1), argument)}` : inner.read(value, argument);
    },
  };
}

/**
 * "A.B.C.D/M" or its IPv6 form; a bare address becomes /32 or /128, as `/ip/service` stores it.
 * Host bits set are refused; what RouterOS does with them isn't published.
 */
export function readPrefix(value: string): string | undefined {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const width = family === 4 ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined;
  const length = bits === undefined ? width : Number(bits);
  if (length > width) return undefined;
  const canonical = ipaddr.parse(address).toString();
  const network = ipaddr[family === 4 ? "IPv4" : "IPv6"].networkAddressFromCIDR(`${canonical}/${length}`);
  return network.toString() === canonical ? `${canonical}/${length}` : undefined;
}

export const prefix = type((value) => (value === "" ? "" : readPrefix(value)), refusals.invalidValue);

/** Comma list of prefixes in the order given; empty means everyone. */
export const prefixes = type((value) => {
  if (value === "") return "";
  const read = value.split(",").map(readPrefix);
  return read.includes(undefined) ? undefined : read.join(",");
}, refusals.invalidValue);

/** Seconds in RouterOS's spelling: `1w2d3h4m5s`, parts of value zero left out, `0s` for nothing. */
export function formatSeconds(seconds: number): string {
  const units = [
    ["w", 604_800],
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const;
  let rest = Math.floor(seconds);
  let out = "";
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) out += `${count}${unit}`;
  }
  return out === "" ? "0s" : out;
}

/** Whole seconds of `1w2d3h4m5s`, `00:05:00` or a bare number of seconds; undefined for anything else. */
export function readSeconds(value: string): number | undefined {
  const clock = /^(\d+):(\d{2}):(\d{2})$/.exec(value);
  if (clock) return Number(clock[1]) * 3_600 + Number(clock[2]) * 60 + Number(clock[3]);
  if (/^\d+$/.test(value)) return Number(value);
  const parts = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value);
  if (!parts || value === "") return undefined;
  const [w, d, h, m, s] = parts.slice(1).map((part) => Number(part ?? 0));
  return (w ?? 0) * 604_800 + (d ?? 0) * 86_400 + (h ?? 0) * 3_600 + (m ?? 0) * 60 + (s ?? 0);
}

/** Duration from `low` to `high` seconds. */
export function duration(low: number, high: number): ValueType {
  return {
    read(value, argument) {
      const seconds = readSeconds(value);
      if (seconds === undefined) throw refusals.invalidValue(argument);
      if (seconds < low || seconds > high) {
        throw refusals.invalidValue(argument);
      }
      return formatSeconds(seconds);
    },
  };
}

/** Does the address lie in one of the comma-separated prefixes? An empty list admits everyone. */
export function admits(list: string, address: string): boolean {
  if (list === "") return true;
  const parsed = ipaddr.process(address);
  return list.split(",").some((entry) => {
    const [network, bits] = ipaddr.parseCIDR(entry);
    return network.kind() === parsed.kind() && parsed.match(network, bits);
  });
}
