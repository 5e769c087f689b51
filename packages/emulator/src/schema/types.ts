import { refusals } from "../refusal.ts";
import { boolean, formatSeconds, listOf, oneOf, readSeconds, text, type ValueType } from "../values.ts";
import type { TypeName } from "./data.ts";

/**
 * A duration in RouterOS's spelling. Words (`none`, `auto`, `startup`) and parts of a second stay as they are: the
 * schemas don't say which of them an argument takes.
 */
const interval: ValueType = {
  read(value, argument) {
    const seconds = readSeconds(value);
    if (seconds !== undefined) return formatSeconds(seconds);
    if (/^[a-z-]*$/.test(value) || /^(\d+(w|d|h|m|s|ms|us))+(\/\S+)?$/.test(value)) return value;
    throw refusals.invalidValue(argument);
  },
};

/** Rules of `/ip/firewall/nat` take most values with `!` before them. */
const perhapsNot = (inner: ValueType): ValueType => ({
  read: (value, argument) =>
    value.startsWith("!") ? `!${inner.read(value.slice(1), argument)}` : inner.read(value, argument),
});

/** @param mayNegate `!value` as well as `value` */
export function valueType(name: TypeName | undefined, mayNegate: boolean): ValueType {
  if (name === undefined) return text;
  if (name === "boolean") return boolean;
  if (name === "interval") return interval;
  const type = "oneOf" in name ? oneOf(name.oneOf) : listOf(name.listOf);
  return mayNegate ? perhapsNot(type) : type;
}
