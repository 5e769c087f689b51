/** The IPv4 packet filter and its address lists. The IPv6 ones are not in the published trees we hold to. */
import { isDynamic, type MenuFacts } from "./facts.ts";

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
  skips: isDynamic,
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
  skips: isDynamic,
  removeCommand: () => "remove",
} as const satisfies MenuFacts;
