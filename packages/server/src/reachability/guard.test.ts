import { expect, test } from "vitest";
import { guardManagementPath, type ManagementPath } from "./index.ts";
import { router, rules, services } from "./testing.fixture.ts";

const managementPath: ManagementPath = { address: "100.64.0.1", port: 8728, service: "api" };
const open = router({});
const notFromLan = {
  action: "drop",
  "in-interface-list": "!LAN",
  comment: "defconf: drop all not coming from LAN",
};
const accept = { action: "accept", "src-address": "100.64.0.1", comment: "portreeve" };

const withServices = (changes: Parameters<typeof services>[0]) => router({ services: services(changes) });
const withRules = (...rows: Parameters<typeof rules>) => router({ filter: rules(...rows) });

test("a change that leaves us in is no problem", () => {
  expect(guardManagementPath(open, open, managementPath)).toBeUndefined();
  expect(
    guardManagementPath(open, withServices({ api: { address: "100.64.0.1/32" } }), managementPath),
  ).toBeUndefined();
  expect(guardManagementPath(open, withRules(accept, { action: "drop" }), managementPath)).toBeUndefined();
});

test.each([
  ["disabled", { disabled: "true" }, "service api is disabled (100.64.0.1)"],
  [
    "kept for others",
    { address: "10.0.0.0/8" },
    "the address list of service api leaves it out (100.64.0.1)",
  ],
  [
    "kept for IPv6",
    { "available-from": "::/0" },
    "the address list of service api names no IPv4 network (100.64.0.1)",
  ],
  ["moved", { port: "8800" }, "service api would move to port 8800, not to 8728"],
])("the service may not be %s", (_, change, reason) => {
  expect(guardManagementPath(open, withServices({ api: change }), managementPath)).toEqual({
    certain: true,
    reason,
  });
});

test("the service may move to the port we are about to try", () => {
  const moved = withServices({ api: { port: "8800" } });
  expect(guardManagementPath(open, moved, { ...managementPath, port: 8800 })).toBeUndefined();
});

test("a drop that reaches us is named by its comment, and by its number without one", () => {
  expect(
    guardManagementPath(open, withRules({ action: "drop", comment: "drop \u001B[2Jall" }), managementPath),
  ).toEqual({
    certain: true,
    reason: 'rule 0 "drop \\1B[2Jall" would refuse Portreeve (100.64.0.1) at api',
  });
  expect(
    guardManagementPath(open, withRules({ action: "passthrough" }, { action: "reject" }), managementPath)
      ?.reason,
  ).toBe("rule 1 would refuse Portreeve (100.64.0.1) at api");
});

test("a rule about an interface that lets us in before and stands there after is no problem", () => {
  const before = withRules(notFromLan);
  expect(guardManagementPath(before, before, managementPath)).toBeUndefined();
  expect(guardManagementPath(before, withRules(accept, notFromLan), managementPath)).toBeUndefined();
});

test("what is let in by an interface before must be let in by the same one after", () => {
  const lan = { action: "accept", "in-interface-list": "LAN" };
  const before = withRules(lan, { action: "drop" });
  expect(guardManagementPath(before, withRules(notFromLan), managementPath)).toBeUndefined();
  expect(
    guardManagementPath(before, withRules({ ...notFromLan, "in-interface-list": "LAN" }), managementPath),
  ).toMatchObject({
    certain: true,
  });
});

test("a new rule about an interface is a problem, and not a certain one", () => {
  expect(guardManagementPath(open, withRules(notFromLan), managementPath)).toEqual({
    certain: false,
    reason:
      'rule 0 "defconf: drop all not coming from LAN" (depends on in-interface-list=!LAN) might refuse Portreeve (100.64.0.1) at api',
  });
});

test("a return that depends on something leads both ways", () => {
  const chain = (last: Record<string, string>) =>
    withRules(
      { action: "jump", "jump-target": "own" },
      { chain: "own", action: "return", "in-interface": "ether1" },
      { chain: "own", action: "drop" },
      last,
    );
  const before = chain({ action: "accept" });
  expect(
    guardManagementPath(before, chain({ action: "accept", protocol: "tcp" }), managementPath),
  ).toBeUndefined();
  expect(guardManagementPath(before, chain({ action: "drop" }), managementPath)).toMatchObject({
    certain: true,
  });
});

test("rates of two rules have nothing to do with each other", () => {
  const limited = { action: "drop", limit: "3,5:packet" };
  const [first, second] = rules(limited, limited);
  const before = router({ filter: [first as never] });
  expect(guardManagementPath(before, router({ filter: [first as never] }), managementPath)).toBeUndefined();
  expect(guardManagementPath(before, router({ filter: [second as never] }), managementPath)).toMatchObject({
    certain: false,
  });
});

test("where the rows say we can't be in already, only what the change adds is its doing", () => {
  const [drop, other] = rules({ action: "drop" }, { action: "drop", comment: "new" });
  const before = router({ filter: [drop as never] });
  expect(
    guardManagementPath(before, router({ filter: [drop as never, other as never] }), managementPath),
  ).toBeUndefined();
  expect(
    guardManagementPath(before, router({ filter: [other as never, drop as never] }), managementPath),
  ).toMatchObject({
    certain: true,
  });
});

test("an address of IPv6 is decided by the IPv6 rules", () => {
  const after = router({ filter: rules({ action: "drop" }), filter6: [] });
  expect(guardManagementPath(open, after, { ...managementPath, address: "2001:db8::1" })).toBeUndefined();
  const closed = router({ filter6: rules({ action: "drop" }) });
  expect(guardManagementPath(open, closed, { ...managementPath, address: "2001:db8::1" })).toMatchObject({
    certain: true,
  });
});

test("rules nobody could follow are a problem that is not certain, and are given up on soon", () => {
  const doubling = Array.from({ length: 30 }, (_, n) => [
    { chain: n === 0 ? "input" : `c${n}`, action: "jump", "jump-target": `c${n + 1}`, protocol: "tcp" },
    { chain: n === 0 ? "input" : `c${n}`, action: "jump", "jump-target": `c${n + 1}` },
  ]).flat();
  const hostile = withRules(...doubling, { chain: "c30", action: "passthrough" });
  expect(guardManagementPath(hostile, hostile, managementPath)).toMatchObject({
    certain: false,
    reason: /more rules/,
  });
});
