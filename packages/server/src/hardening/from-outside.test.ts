import type { Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { fromOutside } from "./from-outside.ts";

const DNS = { protocol: "udp", port: 53 } as const;
const LISTS = [
  { list: "mgmt", address: "203.0.113.0/24" },
  { list: "bad", address: "198.51.100.7" },
];

function meeting(rules: readonly Row[]) {
  const rows = rules.map((rule, i) => ({ ".id": `*${i + 1}`, chain: "input", ...rule }));
  const observed = new Map<string, readonly Row[]>([
    ["/ip/firewall/filter", rows],
    ["/ip/firewall/address-list", LISTS],
  ]);
  return fromOutside(observed, "ipv4", DNS);
}
const verdict = (...rules: Row[]) => meeting(rules).verdict;

const established = { action: "accept", "connection-state": "established,related,untracked" };
const dropRest = { action: "drop" };

test.each<[string, Row[], string]>([
  ["no rules", [], "accepted"],
  ["a drop of everything", [dropRest], "dropped"],
  ["a disabled drop", [{ ...dropRest, disabled: "true" }], "accepted"],
  [
    "MikroTik's default configuration",
    [
      established,
      { action: "drop", "connection-state": "invalid" },
      { action: "accept", protocol: "icmp" },
      { action: "accept", "dst-address": "127.0.0.1" },
      { action: "drop", "in-interface-list": "!LAN" },
    ],
    "dropped",
  ],
  [
    "an accept of DNS before the drop",
    [{ action: "accept", protocol: "udp", "dst-port": "53" }, dropRest],
    "accepted",
  ],
  [
    "an accept of a private network before the drop",
    [{ action: "accept", "src-address": "10.0.0.0/8" }, dropRest],
    "dropped",
  ],
  ["a drop of all but a private network", [{ action: "drop", "src-address": "!192.168.0.0/16" }], "dropped"],
  [
    "a drop of a port range with DNS in it",
    [{ action: "drop", protocol: "udp", "dst-port": "1-100,200" }],
    "dropped",
  ],
  ["a drop of TCP alone", [{ action: "drop", protocol: "tcp", "dst-port": "53" }], "accepted"],
  [
    "an accept of a list before the drop",
    [{ action: "accept", "src-address-list": "mgmt" }, dropRest],
    "dropped",
  ],
  ["a drop of a blacklist", [{ action: "drop", "src-address-list": "bad" }], "accepted"],
  ["a drop of what came by WAN", [{ action: "drop", "in-interface-list": "WAN" }], "dropped"],
  [
    "an accept of one interface before the drop",
    [{ action: "accept", "in-interface": "ether1" }, dropRest],
    "unknown",
  ],
  ["a drop at one interface", [{ action: "drop", "in-interface": "ether1" }], "unknown"],
  [
    "a drop at one interface and one of everything",
    [{ action: "drop", "in-interface": "ether1" }, dropRest],
    "dropped",
  ],
  ["a limited accept before the drop", [{ action: "accept", limit: "3,5:packet" }, dropRest], "unknown"],
  ["a reject", [{ action: "reject" }], "dropped"],
  [
    "rules that only log or count",
    [{ action: "log" }, { action: "add-src-to-address-list", "address-list": "x" }],
    "accepted",
  ],
  ["rules of other chains", [{ chain: "forward", action: "drop" }], "accepted"],
])("with %s a new connection from outside is %s", (_name, rules, expected) => {
  expect(verdict(...rules)).toBe(expected);
});

test("chains that are jumped into count, and return leaves them", () => {
  const jump = { action: "jump", "jump-target": "mine" };
  expect(verdict(jump, { chain: "mine", ...dropRest })).toBe("dropped");
  expect(verdict(jump, { chain: "mine", action: "return" }, { chain: "mine", ...dropRest })).toBe("accepted");
  expect(verdict({ ...jump, "in-interface": "ether1" }, { chain: "mine", ...dropRest })).toBe("unknown");
  expect(verdict({ ...jump, protocol: "tcp" }, { chain: "mine", ...dropRest })).toBe("accepted");
});

test("a return that may match leaves it open what the rest of its chain would have done", () => {
  const jump = { action: "jump", "jump-target": "mine" };
  const mayReturn = { chain: "mine", action: "return", "in-interface": "ether1" };
  expect(verdict(jump, mayReturn, { chain: "mine", ...dropRest })).toBe("unknown");
});

test("chains that jump in circles end, with an answer or without", () => {
  const circle = (length: number) =>
    Array.from({ length }, () => ({ chain: "a", action: "jump", "jump-target": "a" }));
  expect(verdict({ action: "jump", "jump-target": "a" }, ...circle(1))).toBe("accepted");
  expect(verdict({ action: "jump", "jump-target": "a" }, ...circle(8))).toBe("accepted");
});

test("the rules that decide are named", () => {
  const rules = [
    established,
    { action: "accept", "in-interface": "ether1" },
    { action: "accept", "in-interface-list": "LAN" },
    { action: "drop" },
  ];
  expect(meeting(rules).rules.map((rule) => rule[".id"])).toEqual(["*2", "*4"]);
});

test("IPv6 is evaluated by its own rules", () => {
  const drop = { ".id": "*1", chain: "input", action: "drop" };
  const ssh = { port: 22 };
  expect(
    fromOutside(
      new Map([
        ["/ipv6/firewall/filter", []],
        ["/ip/firewall/filter", [drop]],
      ]),
      "ipv6",
      ssh,
    ).verdict,
  ).toBe("accepted");
  expect(fromOutside(new Map([["/ipv6/firewall/filter", [drop]]]), "ipv6", ssh).verdict).toBe("dropped");
  const lan = { ...drop, "in-interface-list": "!LAN" };
  expect(fromOutside(new Map([["/ipv6/firewall/filter", [lan]]]), "ipv6", ssh).verdict).toBe("dropped");
});
