import { FIREWALL_NON_MATCHERS, parseVersion, type Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { type Observed, plan, type RouterFacts, type Step } from "../reconcile/index.ts";
import { desired, type PolicyFacts } from "./desired.ts";

const VERSION = parseVersion("7.16");
const router: RouterFacts = {
  version: VERSION,
  managementAddress: "100.64.0.1",
  offboarding: false,
  observed: new Map(),
};
const closed = (port: number) => ({ enabled: false, port, networks: [] });
const policy: PolicyFacts = {
  services: {
    winbox: { enabled: true, port: 8291, networks: ["10.0.0.0/8", "2001:db8::/32"] },
    ssh: { enabled: true, port: 22, networks: null },
    http: closed(80),
    https: { enabled: true, port: 443, networks: ["0.0.0.0/0"] },
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: ["100.64.0.1/32"] },
    api_ssl: closed(8729),
  },
  trustedNetworks: ["192.168.0.0/16"],
  managementTransport: "api",
  customInputRules: true,
  bruteForceProtection: false,
  reportDrift: false,
};

const FILTER = "/ip/firewall/filter";
const LISTS = "/ip/firewall/address-list";
const nothing = new Map<string, Row[]>([
  [FILTER, []],
  [LISTS, []],
]);

function steps(facts: PolicyFacts, observed: Observed, to: RouterFacts = router): readonly Step[] {
  const menus = desired(facts, to).filter(({ menu }) => menu.path.includes("firewall"));
  return plan(menus, observed, VERSION).steps;
}
const texts = (facts: PolicyFacts, observed: Observed) => steps(facts, observed).map(({ text }) => text);

test("every service has its list, the chain accepts who is on it and drops others, the jump comes last", () => {
  expect(texts(policy, nothing).map((text) => text.replace("/ip firewall ", ""))).toMatchInlineSnapshot(`
    [
      "address-list add comment="portreeve: management - winbox 100.64.0.1/32" list=portreeve-winbox address=100.64.0.1/32 disabled=no",
      "address-list add comment="portreeve: management - winbox 10.0.0.0/8" list=portreeve-winbox address=10.0.0.0/8 disabled=no",
      "address-list add comment="portreeve: management - ssh 100.64.0.1/32" list=portreeve-ssh address=100.64.0.1/32 disabled=no",
      "address-list add comment="portreeve: management - ssh 192.168.0.0/16" list=portreeve-ssh address=192.168.0.0/16 disabled=no",
      "address-list add comment="portreeve: management - api 100.64.0.1/32" list=portreeve-api address=100.64.0.1/32 disabled=no",
      "filter add comment="portreeve: management - accept winbox" chain=portreeve disabled=no action=accept protocol=tcp dst-port=8291 src-address-list=portreeve-winbox",
      "filter add comment="portreeve: management - accept ssh" chain=portreeve disabled=no action=accept protocol=tcp dst-port=22 src-address-list=portreeve-ssh",
      "filter add comment="portreeve: management - accept https" chain=portreeve disabled=no action=accept protocol=tcp dst-port=443",
      "filter add comment="portreeve: management - accept api" chain=portreeve disabled=no action=accept protocol=tcp dst-port=8728 src-address-list=portreeve-api",
      "filter add comment="portreeve: management - sessions that are open" chain=portreeve disabled=no action=return connection-state=established,related",
      "filter add comment="portreeve: management - drop who is not admitted" chain=portreeve disabled=no action=drop protocol=tcp dst-port=8291,22,443,8728",
      "filter add comment="portreeve: management - jump" chain=input disabled=no action=jump jump-target=portreeve protocol=tcp",
    ]
  `);
});

test("the second plan is empty", () => {
  expect(texts(policy, carriedOut(policy, nothing))).toEqual([]);
});

const rules = (...list: Record<string, string>[]): Row[] =>
  list.map((row, i) => ({ ".id": `*F${i}`, action: "accept", chain: "input", log: "false", ...row }));
const theirs = rules(
  { "connection-state": "established,related,untracked" },
  { protocol: "icmp" },
  { action: "drop", "in-interface-list": "!LAN" },
  { action: "drop", comment: "drop all" },
  { chain: "forward", action: "drop" },
);
const onTheirs: Observed = new Map([...nothing, [FILTER, theirs]]);
const orderOf = (observed: Observed) =>
  (observed.get(FILTER) ?? [])
    .filter(({ chain }) => chain === "input")
    .map((row) => (row["jump-target"] ? "ours" : row[".id"]));

test("the router's own rules stay ahead of ours, but not the one behind which nothing is reached", () => {
  expect(orderOf(carriedOut(policy, onTheirs))).toEqual(["*F0", "*F1", "*F2", "ours", "*F3"]);
});

test("without a rule that ends everything ours come last", () => {
  const open: Observed = new Map([
    ...nothing,
    [FILTER, theirs.filter(({ comment }) => comment === undefined)],
  ]);
  expect(orderOf(carriedOut(policy, open))).toEqual(["*F0", "*F1", "*F2", "ours"]);
});

test("ours stand before a drop of everything, whatever else it has that matches no packet", () => {
  const unset = ["disabled", "dynamic", "invalid"]; // with one of them set the rule ends nothing
  const others = [...FIREWALL_NON_MATCHERS].filter((name) => !unset.includes(name));
  const drop = { ...Object.fromEntries(others.map((name) => [name, "0"])), chain: "input", action: "drop" };
  const observed: Observed = new Map([...nothing, [FILTER, rules(drop)]]);
  const input = carriedOut(policy, observed)
    .get(FILTER)
    ?.filter(({ chain }) => chain === "input");
  expect(input?.map(({ action }) => action)).toEqual(["jump", "drop"]);
});

test("a rule for some packets only, a disabled one and an invalid one end nothing", () => {
  const some = rules(
    { action: "drop", protocol: "udp" },
    { action: "drop", disabled: "true" },
    { action: "drop", invalid: "true" },
    { action: "log" },
  );
  const observed: Observed = new Map([...nothing, [FILTER, some]]);
  expect(orderOf(carriedOut(policy, observed)).at(-1)).toBe("ours");
});

test("custom_input_rules false puts ours before all of theirs, behind dynamic ones", () => {
  const first = { ...policy, customInputRules: false };
  const dynamic = { ".id": "*D", chain: "input", action: "passthrough", dynamic: "true" };
  const observed: Observed = new Map([...nothing, [FILTER, [dynamic, ...theirs]]]);
  expect(orderOf(carriedOut(first, observed))).toEqual(["*D", "ours", "*F0", "*F1", "*F2", "*F3"]);
});

test("changing custom_input_rules moves the jump and nothing of theirs, and back again", () => {
  const before = carriedOut(policy, onTheirs);
  const first = { ...policy, customInputRules: false };
  expect(texts(first, before)).toEqual([
    '/ip firewall filter move [find comment="portreeve: management - jump"] destination=*F0',
  ]);
  const back = carriedOut(policy, carriedOut(first, before));
  expect(orderOf(back)).toEqual(orderOf(before));
});

test("a rule somebody adds behind ours stays ahead of ours", () => {
  const settled = carriedOut(policy, nothing);
  const added: Observed = new Map([
    ...settled,
    [
      FILTER,
      [...(settled.get(FILTER) ?? []), { ".id": "*99", chain: "input", action: "accept", protocol: "gre" }],
    ],
  ]);
  expect(orderOf(carriedOut(policy, added))).toEqual(["*99", "ours"]);
});

test("our rules in another order are brought back into ours", () => {
  const settled = carriedOut(policy, nothing);
  const shuffled: Observed = new Map([...settled, [FILTER, (settled.get(FILTER) ?? []).toReversed()]]);
  const repaired = carriedOut(policy, shuffled);
  const comments = (observed: Observed) =>
    (observed.get(FILTER) ?? []).filter(({ chain }) => chain === "portreeve").map(({ comment }) => comment);
  expect(comments(repaired)).toEqual(comments(settled));
  expect(texts(policy, repaired)).toEqual([]);
});

test("a rule of ours that somebody disabled, narrowed, copied or removed is as it was", () => {
  const settled = carriedOut(policy, nothing);
  const list = settled.get(FILTER) ?? [];
  const changes: Row[][] = [
    list.map((row, i) => (i === 0 ? { ...row, disabled: "true" } : row)),
    list.map((row, i) => (i === 0 ? { ...row, "src-address": "192.0.2.1" } : row)),
    [...list, { ...(list[0] as Row), ".id": "*77" }],
    list.slice(1),
  ];
  const plain = (rows: readonly Row[] = []) =>
    rows
      .map(({ ".id": _id, ...row }) => row)
      .toSorted((a, b) => (a.comment ?? "").localeCompare(b.comment ?? ""));
  for (const changed of changes) {
    const repaired = carriedOut(policy, new Map([...settled, [FILTER, changed]]));
    expect(plain(repaired.get(FILTER))).toEqual(plain(list));
    expect(texts(policy, repaired)).toEqual([]);
  }
});

test("brute-force protection counts before it accepts, and never a trusted source", () => {
  const guarded = { ...policy, bruteForceProtection: true };
  const after = carriedOut(guarded, nothing);
  const chain = (after.get(FILTER) ?? []).filter((row) => row.chain === "portreeve");
  expect(chain[0]).toMatchObject({
    action: "jump",
    "src-address-list": "!portreeve-trusted",
    "dst-port": "443,8291",
  });
  const trusted = (after.get(LISTS) ?? []).filter((row) => row.list === "portreeve-trusted");
  expect(trusted.map(({ address }) => address)).toEqual(["100.64.0.1/32", "192.168.0.0/16"]);
  expect(texts(guarded, after)).toEqual([]);
  expect(carriedOut(policy, after).get(FILTER)?.length).toBe(carriedOut(policy, nothing).get(FILTER)?.length);
});

test("off-boarding takes the jump away first, then the chain, then the lists", () => {
  const settled = carriedOut(policy, onTheirs);
  const removals = steps(policy, settled, { ...router, offboarding: true });
  expect(removals.every(({ command }) => command === "remove")).toBe(true);
  expect(removals.find(({ menu }) => menu === FILTER)?.target.key).toContain("jump");
  const filterPart = removals
    .filter(({ touchesManagementPath }) => touchesManagementPath)
    .map(({ menu }) => menu);
  expect(filterPart.lastIndexOf(FILTER)).toBeLessThan(filterPart.indexOf(LISTS));
});

/** A pretend router with an order: the emulator does it for real. */
function carriedOut(facts: PolicyFacts, observed: Observed): Map<string, Row[]> {
  const result = new Map([...observed].map(([menu, list]) => [menu, list.map((row) => ({ ...row }))]));
  for (const { menu, command, target, values } of steps(facts, observed)) {
    const list = result.get(menu) ?? [];
    const index = list.findIndex((row) => row[".id"] === target.id);
    const { "place-before": before, destination, ...fields } = values;
    const at = (id: string | undefined) => (id ? list.findIndex((row) => row[".id"] === id) : list.length);
    if (command === "add") list.splice(at(before), 0, { ".id": `*${nextId()}`, ...fields });
    else if (command === "set") list[index] = { ...(list[index] as Row), ...fields };
    else if (command === "remove") list.splice(index, 1);
    else {
      const [row] = list.splice(index, 1);
      list.splice(at(destination), 0, row as Row);
    }
  }
  return result;
}

let lastId = 0x100;
function nextId(): string {
  lastId += 1;
  return lastId.toString(16).toUpperCase();
}
