/** The packet filters and their address lists, of IPv4 and of IPv6. */
import type { MenuFacts } from "./facts.ts";

/** Rules are tried in the order of `print`, which `.id` does not follow. Ours are known by their comment. */
export const firewallFilter = {
  path: "/ip/firewall/filter",
  key: "comment",
  fields: {
    chain: { kind: "text" },
    action: { kind: "text", default: "accept" },
    "jump-target": { kind: "text" },
    protocol: { kind: "text" },
    "src-address": { kind: "text" },
    "src-address-list": { kind: "text" },
    "dst-address": { kind: "text" },
    "dst-address-list": { kind: "text" },
    "dst-port": { kind: "text" },
    "in-interface": { kind: "text" },
    "in-interface-list": { kind: "text" },
    "connection-state": { kind: "list" },
    "address-list": { kind: "text" },
    // A duration, `none-dynamic` or `none-static`.
    "address-list-timeout": { kind: "text" },
    log: { kind: "boolean" },
    "log-prefix": { kind: "text", default: "" },
    disabled: { kind: "boolean" },
    comment: { kind: "text", default: "" },
  },
  readOnly: {
    bytes: { kind: "number" },
    packets: { kind: "number" },
    dynamic: { kind: "boolean" },
    invalid: { kind: "boolean" },
  },
  rank: 5,
  ordered: true,
  skips: "dynamic",
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

/** With a timeout an entry is dynamic, kept in memory and gone after its time or a reboot. */
export const firewallAddressList = {
  path: "/ip/firewall/address-list",
  key: "comment",
  fields: {
    list: { kind: "text" },
    address: { kind: "network" },
    timeout: { kind: "duration" },
    disabled: { kind: "boolean" },
    comment: { kind: "text", default: "" },
  },
  readOnly: { dynamic: { kind: "boolean" }, "creation-time": { kind: "datetime" } },
  rank: 4,
  skips: "dynamic",
  removeCommand: () => "remove",
} as const satisfies MenuFacts;

/** IPv6 has its own rules, and RouterOS 6 a package for them that may be missing; `tarpit` is IPv4's alone, and the words of `reject-with` differ. */
export const ipv6FirewallFilter = {
  ...firewallFilter,
  path: "/ipv6/firewall/filter",
  optional: true,
} as const satisfies MenuFacts;

/** Its entries are IPv6 prefixes: an address without a length is shown with /128. */
export const ipv6FirewallAddressList = {
  ...firewallAddressList,
  path: "/ipv6/firewall/address-list",
  optional: true,
} as const satisfies MenuFacts;
