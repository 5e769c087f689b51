import { refusals } from "../refusal.ts";
import { boolean, listOf, matcher, oneOf, text, type ValueType } from "../values.ts";
import type { Field, Menu, OwnCommand } from "./menu.ts";

/**
 * Arguments and enumerations: deep schema dump of RouterOS 7.22.3 (tikoci/restraml, docs/7.22.3/deep-inspect.json).
 * Matchers that name what this emulator has none of (interfaces, lists, marks) are kept as text.
 */
const ACTIONS = [
  "accept",
  "add-dst-to-address-list",
  "add-src-to-address-list",
  "drop",
  "fasttrack-connection",
  "jump",
  "log",
  "passthrough",
  "reject",
  "return",
  "tarpit",
];
const STATES = ["invalid", "established", "related", "new", "untracked"];
const NAT_STATES = ["srcnat", "dstnat", "ein-snat", "ein-dnat"];
const ADDRESS_TYPES = ["unicast", "local", "broadcast", "multicast", "blackhole"];
const REJECT_WITH = [
  "icmp-admin-prohibited",
  "icmp-host-prohibited",
  "icmp-host-unreachable",
  "icmp-net-prohibited",
  "icmp-network-unreachable",
  "icmp-port-unreachable",
  "icmp-protocol-unreachable",
  "tcp-reset",
];
const PROTOCOLS =
  "dccp ddp egp encap etherip ggp gre hmp icmp icmpv6 idpr-cmtp igmp ipencap ipip ipsec-ah ipsec-esp ipv6-encap " +
  "ipv6-frag ipv6-nonxt ipv6-opts ipv6-route iso-tp4 l2tp ospf pim pup rdp rspf rsvp sctp st tcp udp udp-lite " +
  "vmtp vrrp xns-idp xtp";
const TCP_FLAGS = ["ack", "cwr", "ece", "fin", "psh", "rst", "syn", "urg"];

/** Kept as text: their grammar isn't published in a form that could be checked. */
const TEXT_MATCHERS = [
  "connection-bytes",
  "connection-limit",
  "connection-mark",
  "connection-rate",
  "connection-type",
  "content",
  "dscp",
  "dst-address-list",
  "dst-limit",
  "fragment",
  "hotspot",
  "icmp-options",
  "in-bridge-port",
  "in-bridge-port-list",
  "in-interface",
  "in-interface-list",
  "ingress-priority",
  "ipsec-policy",
  "ipv4-options",
  "layer7-protocol",
  "limit",
  "nth",
  "out-bridge-port",
  "out-bridge-port-list",
  "out-interface",
  "out-interface-list",
  "p2p",
  "packet-mark",
  "packet-size",
  "per-connection-classifier",
  "priority",
  "psd",
  "random",
  "realm",
  "routing-mark",
  "src-address-list",
  "src-mac-address",
  "tcp-mss",
  "time",
  "tls-host",
  "ttl",
];

/** "22", "8728-8729" or a comma list of both. */
const ports: ValueType = matching(/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/);
/** "192.0.2.1", "192.0.2.0/24" or "192.0.2.1-192.0.2.9", kept as written. */
const addresses: ValueType = matching(/^\d+\.\d+\.\d+\.\d+(\/\d{1,2}|-\d+\.\d+\.\d+\.\d+)?$/);

/** "2001:db8::/32" or a single address, kept as written. */
const addresses6: ValueType = matching(/^[\da-fA-F:.]*:[\da-fA-F:.]*(\/\d{1,3})?$/);

function matching(form: RegExp): ValueType {
  return {
    read(value, argument) {
      if (!form.test(value)) throw refusals.invalidValue(argument);
      return value;
    },
  };
}

const match = (type: ValueType): Field => ({ type: matcher(type), clearable: true });

const fields: Readonly<Record<string, Field>> = {
  chain: { type: text, required: true },
  action: { type: oneOf(ACTIONS), default: "accept" },
  "jump-target": match(text),
  "address-list": match(text),
  "address-list-timeout": match(text),
  "reject-with": match(oneOf(REJECT_WITH)),
  "connection-state": match(listOf(STATES)),
  "connection-nat-state": match(listOf(NAT_STATES)),
  protocol: match(oneOf(PROTOCOLS.split(" "))),
  "src-address": match(addresses),
  "dst-address": match(addresses),
  "src-address-type": match(listOf(ADDRESS_TYPES)),
  "dst-address-type": match(listOf(ADDRESS_TYPES)),
  port: match(ports),
  "src-port": match(ports),
  "dst-port": match(ports),
  "tcp-flags": match(listOf(TCP_FLAGS)),
  ...Object.fromEntries(TEXT_MATCHERS.map((name) => [name, match(text)])),
  log: { type: boolean, default: "false" },
  "log-prefix": { type: text, default: "" },
  bytes: { type: text, readOnly: true },
  packets: { type: text, readOnly: true },
  invalid: { type: boolean, readOnly: true },
  dynamic: { type: boolean, readOnly: true },
  disabled: { type: boolean, default: "false" },
  comment: { type: text, clearable: true },
};

/** The IPv6 table has matchers of its own where IPv4's headers have no counterpart. */
const IPV4_ONLY = ["fragment", "hotspot", "ipv4-options", "p2p", "psd", "ttl"];
const IPV6_ONLY = { headers: match(text), "hop-limit": match(text) };

const fields6 = {
  ...Object.fromEntries(Object.entries(fields).filter(([name]) => !IPV4_ONLY.includes(name))),
  ...IPV6_ONLY,
  "src-address": match(addresses6),
  "dst-address": match(addresses6),
};

const resetCounters: OwnCommand = {
  arguments: [],
  targets: true,
  policy: ["write"],
  run: (router, _given, items) => router.firewall.resetCounters(items),
};

const resetAllCounters = (path: string): OwnCommand => ({
  arguments: [],
  policy: ["write"],
  run: (router) => router.firewall.resetCounters(router.table(path).items),
});

const filter = (path: string, fields: Readonly<Record<string, Field>>): Menu => ({
  path,
  ordered: true,
  commands: [
    "print",
    "getall",
    "get",
    "listen",
    "add",
    "set",
    "unset",
    "remove",
    "enable",
    "disable",
    "comment",
    "move",
  ],
  fields,
  computed(router, item) {
    const { packets, bytes } = router.firewall.counters(item);
    return { bytes: String(bytes), packets: String(packets), invalid: "false", dynamic: "false" };
  },
  own: { "reset-counters": resetCounters, "reset-counters-all": resetAllCounters(path) },
});

/** Rules of the `input` chain decide who connects to a service; those of other chains are rows alone. */
export const firewallFilter = filter("/ip/firewall/filter", fields);
export const ipv6FirewallFilter = filter("/ipv6/firewall/filter", fields6);
