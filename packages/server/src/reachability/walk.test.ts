import { expect, test } from "vitest";
import { everybody, familyOf, formatAddresses, parseAddresses } from "./address-set.ts";
import { Budget } from "./budget.ts";
import { filterTable } from "./filter-table.ts";
import { deciderOf } from "./format.ts";
import { router, rules } from "./testing.fixture.ts";
import { verdictOf } from "./verdict.ts";
import { walk } from "./walk.ts";

type Rows = Parameters<typeof rules>;
type Lists = NonNullable<Parameters<typeof router>[0]["lists"]>;

const SSH = 22;

function walked(filter: Rows, lists: Lists = [], destination?: string) {
  const table = filterTable(router({ filter: rules(...filter), lists }), "ipv4");
  return walk(table, { family: "ipv4", port: SSH, destination }, { budget: new Budget(100_000) });
}

/** How one address fares at SSH. */
function meets(address: string, filter: Rows, lists: Lists = [], destination?: string) {
  const { accepted, refused } = verdictOf(
    walked(filter, lists, destination).outcomes,
    parseAddresses(address, familyOf(address)) ?? [],
  );
  return accepted.length > 0 ? "yes" : refused.length > 0 ? "no" : "depends";
}

const drop = { action: "drop" };

test("what no rule stops is accepted", () => {
  expect(meets("192.0.2.7", [])).toBe("yes");
  expect(meets("192.0.2.7", [{ action: "passthrough" }, { action: "log" }])).toBe("yes");
});

test("a property or an action by the name of something else in JavaScript is one nobody knows", () => {
  const odd = JSON.parse('{"action": "drop", "constructor": "x", "__proto__": "y"}');
  expect(meets("192.0.2.7", [odd])).toBe("depends");
  expect(meets("192.0.2.7", [{ action: "constructor" }, { action: "__proto__" }])).toBe("yes");
});

test.each(["drop", "reject", "tarpit"])("%s ends the way", (action) => {
  expect(meets("192.0.2.7", [{ action }, { action: "accept" }])).toBe("no");
});

test.each<[Record<string, string>, "yes" | "no" | "depends"]>([
  [{}, "no"],
  [{ protocol: "tcp" }, "no"],
  [{ protocol: "6" }, "no"],
  [{ protocol: "udp" }, "yes"],
  [{ protocol: "!udp" }, "no"],
  [{ "connection-state": "new" }, "no"],
  [{ "connection-state": "established,related" }, "yes"],
  [{ "connection-state": "!established,related,untracked" }, "no"],
  [{ "src-address": "192.0.2.0/24" }, "no"],
  [{ "src-address": "!192.0.2.0/24" }, "yes"],
  [{ "src-address": "192.0.2.1-192.0.2.7" }, "no"],
  [{ "src-address": "192.0.2.1-192.0.2.6" }, "yes"],
  [{ "src-address": "" }, "no"],
  [{ "dst-port": "20-22,8291" }, "no"],
  [{ "dst-port": "!22" }, "yes"],
  [{ "dst-port": "8291" }, "yes"],
  [{ port: "22" }, "no"],
  [{ port: "!22" }, "yes"],
  [{ port: "50000" }, "depends"],
  [{ "src-port": "1024-65535" }, "depends"],
  [{ "src-port": "0-65535" }, "no"],
  [{ "tcp-flags": "syn,!ack" }, "no"],
  [{ "tcp-flags": "ack" }, "yes"],
  [{ "tcp-flags": "!syn" }, "yes"],
  [{ "tcp-flags": "syn,ece" }, "depends"],
  [{ "dst-address-type": "local" }, "no"],
  [{ "dst-address-type": "!local" }, "yes"],
  [{ "dst-address": "198.51.100.1" }, "depends"],
  [{ "in-interface": "ether1" }, "depends"],
  [{ "in-interface-list": "!LAN" }, "depends"],
  [{ "in-interface": "ether1", "dst-port": "80" }, "yes"],
  [{ limit: "3,5:packet" }, "depends"],
  [{ time: "8h-16h,mon" }, "depends"],
  [{ "layer7-protocol": "!x" }, "depends"],
  [{ "something-new": "1" }, "depends"],
  [{ disabled: "true" }, "yes"],
  [{ disabled: "yes" }, "yes"],
  [{ invalid: "true" }, "yes"],
  [{ dynamic: "true" }, "no"],
  [{ chain: "forward" }, "yes"],
  [{ comment: "in-interface=ether1", log: "true", "log-prefix": "x", bytes: "1", packets: "1" }, "no"],
])("a drop with %o lets 192.0.2.7 in: %s", (matchers, expected) => {
  expect(meets("192.0.2.7", [{ ...drop, ...matchers }])).toBe(expected);
});

test("where the router's own address is known, dst-address is decided", () => {
  const rule = { ...drop, "dst-address": "198.51.100.0/24" };
  expect(meets("192.0.2.7", [rule], [], "198.51.100.1")).toBe("no");
  expect(meets("192.0.2.7", [rule], [], "203.0.113.1")).toBe("yes");
});

const listed = { ...drop, "src-address-list": "bad" };

test("an address list counts its timed entries and not its disabled ones", () => {
  const timed = [{ list: "bad", address: "192.0.2.7", dynamic: "true", timeout: "1m" }];
  expect(meets("192.0.2.7", [listed], timed)).toBe("no");
  expect(meets("192.0.2.7", [listed], [{ list: "bad", address: "192.0.2.7", disabled: "true" }])).toBe("yes");
  expect(meets("192.0.2.7", [listed], [{ list: "other", address: "192.0.2.7" }])).toBe("yes");
  expect(meets("192.0.2.7", [listed], [{ list: "bad", address: "192.0.2.1-192.0.2.9" }])).toBe("no");
  expect(meets("192.0.2.7", [{ ...drop, "src-address-list": "!bad" }], timed)).toBe("yes");
});

test("a name on an address list may be anybody, except whom an entry names", () => {
  const lists = [
    { list: "bad", address: "router.example" },
    { list: "bad", address: "192.0.2.7" },
  ];
  expect(meets("192.0.2.7", [listed], lists)).toBe("no");
  expect(meets("192.0.2.8", [listed], lists)).toBe("depends");
  const { outcomes } = walked([{ ...drop, "src-address-list": "!bad" }], lists);
  expect(verdictOf(outcomes, parseAddresses("192.0.2.7", "ipv4") ?? []).accepted).toHaveLength(1);
});

test("the first rule that matches decides, for each address by itself", () => {
  const { outcomes } = walked([
    { action: "accept", "src-address": "10.0.0.0/8" },
    { ...drop, "src-address": "10.0.0.0/7" },
    { action: "accept", "in-interface": "ether1" },
    drop,
  ]);
  const { accepted, refused, depends } = verdictOf(outcomes, everybody("ipv4"));
  expect(formatAddresses(accepted, "ipv4", 5)).toEqual(["10.0.0.0/8"]);
  expect(formatAddresses(refused, "ipv4", 5)).toEqual(["11.0.0.0/8"]);
  expect(formatAddresses(depends, "ipv4", 5)).toEqual(["0.0.0.0-9.255.255.255", "12.0.0.0-255.255.255.255"]);
});

test("own chains are gone through and come back, by their end or by return", () => {
  const filter: Rows = [
    { action: "jump", "jump-target": "own", "dst-port": "22" },
    { chain: "own", action: "return", "src-address": "192.0.2.1" },
    { chain: "own", action: "accept", "src-address": "192.0.2.0/30" },
    { action: "accept", "src-address": "192.0.2.7" },
    drop,
  ];
  expect(["192.0.2.1", "192.0.2.2", "192.0.2.7", "192.0.2.9"].map((one) => meets(one, filter))).toEqual([
    "no",
    "yes",
    "yes",
    "no",
  ]);
});

test("a jump or a return that depends on something leads both ways", () => {
  const jump = { action: "jump", "jump-target": "own", "in-interface": "ether1" };
  expect(meets("192.0.2.7", [jump, { chain: "own", action: "accept" }, drop])).toBe("depends");
  expect(meets("192.0.2.7", [jump, { chain: "own", ...drop }, drop])).toBe("no");
  const chain = { action: "jump", "jump-target": "own" };
  const back = { chain: "own", action: "return", limit: "1,5:packet" };
  expect(meets("192.0.2.7", [chain, back, { chain: "own", action: "accept" }, drop])).toBe("depends");
  expect(meets("192.0.2.7", [chain, back, { chain: "own", action: "accept" }])).toBe("yes");
});

test("return in the input chain itself leaves it, and what leaves it is accepted", () => {
  expect(meets("192.0.2.7", [{ action: "return" }, drop])).toBe("yes");
});

test("chains that jump in a circle end", () => {
  const circle = { action: "jump", "jump-target": "a" };
  expect(meets("192.0.2.7", [circle, { chain: "a", ...circle }])).toBe("yes");
});

test("a rule that lists the source is seen by the rules below it, in the same packet", () => {
  const add = { action: "add-src-to-address-list", "address-list": "bad", "dst-port": "22" };
  expect(meets("192.0.2.7", [add, listed])).toBe("no");
  expect(meets("192.0.2.7", [listed, add])).toBe("yes");
  expect(meets("192.0.2.7", [{ ...add, limit: "1,5:packet" }, listed])).toBe("depends");
});

test("the deciding rule is named, with what it depends on", () => {
  const [dropped, accepted] = walked([
    { ...drop, "in-interface-list": "!LAN", comment: "drop\u202Eall" },
  ]).outcomes;
  expect(dropped && deciderOf(dropped)).toBe(
    'rule 0 "drop\\E2\\80\\AEall" (depends on in-interface-list=!LAN)',
  );
  expect(accepted && deciderOf(accepted)).toBe("no rule: what none stops is accepted");
});
