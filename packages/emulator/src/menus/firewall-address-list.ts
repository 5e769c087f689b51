import ipaddr from "ipaddr.js";
import { startTimeout, timeLeft } from "../firewall/address-lists.ts";
import { refusals } from "../refusal.ts";
import type { Item } from "../table.ts";
import { boolean, duration, readPrefix, readSeconds, text, type ValueType } from "../values.ts";
import type { Change, Menu, MenuHost } from "./menu.ts";

/** "..35w3d13h13m56s" in the schema dumps: 2^31 hundredths of a second. */
const MAX_TIMEOUT_SECONDS = 21_474_836;

/** A range that is exactly one prefix is stored as that prefix; source: MikroTik manual, "Address lists". */
function readRange(value: string): string | undefined {
  const [first = "", last = ""] = value.split("-");
  if (!ipaddr.IPv4.isValidFourPartDecimal(first) || !ipaddr.IPv4.isValidFourPartDecimal(last))
    return undefined;
  const low = toNumber(first);
  const high = toNumber(last);
  if (high < low) return undefined;
  const bits = Math.log2(high - low + 1);
  const whole = Number.isInteger(bits) && low % 2 ** bits === 0;
  return whole ? `${first}/${32 - bits}` : value;
}

const toNumber = (address: string): number =>
  address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);

const isName = (value: string) => /^(?!\d+(\.\d+){3})[A-Za-z0-9_]([\w.-]*[A-Za-z0-9])?$/.test(value);

/** Address, prefix, range or DNS name; a single address stays without its /32. */
export const listAddress: ValueType = {
  read(value, argument) {
    if (value.includes("-") && /^[\d.]+-[\d.]+$/.test(value)) {
      const range = readRange(value);
      if (range === undefined) throw refusals.invalidValue(argument);
      return range;
    }
    const prefix = value.includes(":") ? undefined : readPrefix(value);
    if (prefix !== undefined) return prefix.replace(/\/32$/, "");
    if (!isName(value)) throw refusals.invalidValue(argument);
    return value;
  },
};

/**
 * The IPv6 list: address, prefix or DNS name. A prefix with host bits is stored as its network, a single address as
 * /128, and a range is no name. Source: MikroTik manual, command reference of `/ipv6/firewall/address-list`.
 */
export const listAddress6: ValueType = {
  read(value) {
    const prefix = value.includes(":") ? networkOf(value) : undefined;
    if (prefix === undefined && !isName(value)) throw refusals.failure(`${value} is not a valid dns name`);
    return prefix ?? value;
  },
};

function networkOf(value: string): string | undefined {
  const [address = "", bits = "128"] = value.split("/");
  if (!ipaddr.IPv6.isValid(address) || !/^\d{1,3}$/.test(bits) || Number(bits) > 128) return undefined;
  const canonical = ipaddr.IPv6.parse(address).toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${canonical}/${bits}`)}/${bits}`;
}

/** Start an entry's time, or start it again when `set` gave a new one. */
function schedule(router: MenuHost, path: string, change: Change, item: Item): void {
  const { timeout } = change.given;
  if (timeout !== undefined && item.dynamic) startTimeout(router, path, item, readSeconds(timeout) ?? 0);
}

/** @param path `/ip/firewall/address-list` or its IPv6 counterpart */
export const firewallAddressList = (path: string, address: ValueType): Menu => ({
  path,
  commands: ["print", "getall", "get", "listen", "add", "set", "remove", "enable", "disable", "comment"],
  fields: {
    list: { type: text, required: true },
    address: { type: address, required: true },
    timeout: { type: duration(0, MAX_TIMEOUT_SECONDS), clearable: true },
    "creation-time": { type: text, readOnly: true },
    dynamic: { type: boolean, default: "false" },
    disabled: { type: boolean, default: "false" },
    comment: { type: text, clearable: true },
  },
  unique: { fields: ["list", "address"], refusal: "already have such entry" },
  isDynamic: (values) => values.timeout !== undefined || values.dynamic === "true",
  computed(router, item) {
    const timeout = timeLeft(router, item);
    const dynamic = { dynamic: String(item.dynamic) };
    return timeout === undefined ? dynamic : { ...dynamic, timeout };
  },
  check(_router, change) {
    // No time at all is no time-out: the entry stays.
    if (change.command === "add" && change.after.timeout === "0s") delete change.after.timeout;
    // Whether a permanent entry can be given a timeout is not published.
    const { item, given } = change;
    if (item && !item.dynamic && (given.timeout !== undefined || given.dynamic === "true")) {
      throw refusals.notEmulated("a permanent entry made dynamic");
    }
    return undefined;
  },
  applied: (router, change, item) => schedule(router, path, change, item),
});
