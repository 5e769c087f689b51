/** What the evaluation of a router's firewall says, beside what the emulator's firewall does with the packet. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Machine } from "../packages/emulator/src/machine.ts";
import { type Family, parseAddresses } from "../packages/server/src/reachability/address-set.ts";
import { Budget } from "../packages/server/src/reachability/budget.ts";
import { filterTable } from "../packages/server/src/reachability/filter-table.ts";
import { verdictOf } from "../packages/server/src/reachability/verdict.ts";
import { walk } from "../packages/server/src/reachability/walk.ts";

type Cells = Record<string, string>;

interface Case {
  readonly rules: readonly Cells[];
  readonly lists: readonly Cells[];
  readonly source: string;
  readonly port: number;
  readonly sourcePort: number;
}

/** Few addresses and few ports, so that rules meet packets. */
const NETWORKS: Readonly<Record<Family, { prefix: string; bits: number }>> = {
  ipv4: { prefix: "10.0.0.", bits: 32 },
  ipv6: { prefix: "2001:db8::", bits: 128 },
};
const DESTINATION: Readonly<Record<Family, string>> = { ipv4: "10.0.0.1", ipv6: "2001:db8::1" };
const PORTS = [22, 8291, 8728];
const CHAINS = ["input", "one", "two"];
const LISTS = ["a", "b", "c"];

const host = (family: Family) => fc.integer({ min: 0, max: 7 }).map((n) => `${NETWORKS[family].prefix}${n}`);

function network(family: Family): fc.Arbitrary<string> {
  const { bits } = NETWORKS[family];
  const prefix = fc.tuple(host(family), fc.integer({ min: bits - 3, max: bits }));
  const prefixes = prefix.map(([address, length]) => `${address}/${length}`);
  if (family === "ipv6") return fc.oneof(host(family), prefixes);
  const range = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }));
  const ranges = range.map(([a, b]) => `10.0.0.${Math.min(a, b)}-10.0.0.${Math.max(a, b)}`);
  return fc.oneof(host(family), prefixes, ranges);
}

const maybeNot = (values: fc.Arbitrary<string>) =>
  fc.tuple(fc.boolean(), values).map(([not, value]) => (not ? `!${value}` : value));

const ports = fc.oneof(
  fc.constantFrom("22", "8728", "22,8291", "8000-8500", "1-65535"),
  fc.constantFrom("80", "443,8080"),
);

const decidable = (family: Family) => ({
  protocol: maybeNot(fc.constantFrom("tcp", "udp")),
  "src-address": maybeNot(network(family)),
  "src-address-list": maybeNot(fc.constantFrom(...LISTS)),
  "dst-address": maybeNot(network(family)),
  "dst-port": maybeNot(ports),
  "connection-state": maybeNot(fc.constantFrom("new", "established,related", "new,untracked", "invalid")),
  "tcp-flags": fc.constantFrom("syn", "syn,!ack", "ack", "!syn"),
  "dst-address-type": maybeNot(fc.constantFrom("local", "unicast,broadcast")),
  disabled: fc.constantFrom("true", "false"),
});

const undecidable = {
  "src-port": maybeNot(fc.constantFrom("1024-65535", "1-1023")),
  port: maybeNot(fc.constantFrom("22", "8728,50000")),
  "in-interface": maybeNot(fc.constantFrom("ether1", "bridge")),
  "in-interface-list": maybeNot(fc.constantFrom("LAN", "WAN")),
  limit: fc.constant("3,5:packet"),
  "connection-mark": fc.constantFrom("no-mark", "vip"),
};

const action = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("accept", "drop", "reject", "tarpit") },
  { weight: 2, arbitrary: fc.constantFrom("jump", "return", "passthrough", "log", "fasttrack-connection") },
  { weight: 2, arbitrary: fc.constantFrom("add-src-to-address-list") },
);

/** RouterOS refuses chains that jump in a circle, so no router has them. */
function onwards(chain: string, target: string): string {
  if (chain === "two") return "nowhere";
  return chain === "one" && target === "one" ? "two" : target;
}

function rule(matchers: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<Cells> {
  const always = {
    chain: fc.constantFrom("input", ...CHAINS, "forward"),
    action,
    "jump-target": fc.constantFrom("one", "two", "nowhere"),
    "address-list": fc.constantFrom(...LISTS),
  };
  const given = fc.record(matchers, { requiredKeys: [] });
  // Two matchers at most: a rule with many matches nothing.
  const few = fc.tuple(given, fc.shuffledSubarray(Object.keys(matchers), { maxLength: 2 }));
  return fc.tuple(fc.record(always), few).map(([fixed, [all, names]]) => ({
    ...fixed,
    "jump-target": onwards(fixed.chain, fixed["jump-target"]),
    ...Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))),
  }));
}

function cases(family: Family, withUnknowns: boolean): fc.Arbitrary<Case> {
  const known = decidable(family);
  const address = withUnknowns ? fc.oneof(network(family), fc.constant("router.example")) : network(family);
  const entry = fc.record({
    list: fc.constantFrom(...LISTS),
    address,
    disabled: fc.constantFrom("false", "false", "true"),
  });
  return fc.record({
    rules: fc.array(rule(withUnknowns ? { ...known, ...undecidable } : known), { maxLength: 12 }),
    lists: fc.array(entry, { maxLength: 6 }),
    source: host(family),
    port: fc.constantFrom(...PORTS),
    sourcePort: fc.constantFrom(22, 1000, 50_000),
  });
}

const MENUS: Readonly<Record<Family, string>> = { ipv4: "/ip/firewall", ipv6: "/ipv6/firewall" };

function decidedByEmulator(family: Family, { rules, lists, source, port, sourcePort }: Case): "yes" | "no" {
  const fresh = { model: "", serialNumber: "", hostKey: () => "", randomBytes: () => new Uint8Array() };
  const router = new Machine({}, undefined, fresh);
  for (const values of rules) router.table(`${MENUS[family]}/filter`).add(values);
  for (const values of lists) router.table(`${MENUS[family]}/address-list`).add(values);
  const packet = { state: "new", srcAddress: source, srcPort: sourcePort } as const;
  const destination = { dstAddress: DESTINATION[family], dstPort: port };
  return router.firewall.decide({ ...packet, ...destination }) === "accept" ? "yes" : "no";
}

function evaluated(family: Family, { rules, lists, source, port }: Case, destination?: string) {
  const rows = (cells: readonly Cells[]) => cells.map((row, n) => ({ ".id": `*${n + 1}`, ...row }));
  const observed = new Map([
    [`${MENUS[family]}/filter`, rows(rules)],
    [`${MENUS[family]}/address-list`, rows(lists)],
  ]);
  const { outcomes } = walk(
    filterTable(observed, family),
    { family, port, destination },
    { budget: new Budget(100_000) },
  );
  const { accepted, refused } = verdictOf(outcomes, parseAddresses(source, family) ?? []);
  return accepted.length > 0 ? "yes" : refused.length > 0 ? "no" : "depends";
}

test.each<Family>(["ipv4", "ipv6"])(
  "of rules that can be decided, every %s packet is decided as the emulator does",
  (family) => {
    fc.assert(
      fc.property(cases(family, false), (one) => {
        expect(evaluated(family, one, DESTINATION[family])).toBe(decidedByEmulator(family, one));
      }),
      { numRuns: 5_000 },
    );
  },
);

test.each<Family>(["ipv4", "ipv6"])(
  "of rules of every kind, a yes or a no to an %s packet is the emulator's",
  (family) => {
    const seen = { yes: 0, no: 0, depends: 0 };
    fc.assert(
      fc.property(cases(family, true), (one) => {
        const answer = evaluated(family, one);
        seen[answer] += 1;
        if (answer !== "depends") expect(answer).toBe(decidedByEmulator(family, one));
      }),
      { numRuns: 5_000 },
    );
    // An evaluation that always says "depends" would pass, and say nothing.
    expect(Math.min(seen.yes, seen.no, seen.depends)).toBeGreaterThan(500);
  },
);
