import type { Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { assess } from "./index.ts";
import { router, rules, services as serviceRows } from "./testing.fixture.ts";

const SERVICES = {
  winbox: "winbox",
  ssh: "ssh",
  http: "www",
  https: "www-ssl",
  telnet: "telnet",
  ftp: "ftp",
  api: "api",
  api_ssl: "api-ssl",
};
const ours = ({ comment = "" }: Row) => comment.startsWith("portreeve");
const sources = {
  management: "100.64.0.1",
  caller: "10.0.0.5",
  networks: ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/8", "fd00::/8"],
};

type Router = Parameters<typeof router>[0];

function assessed(before: Router, after: Router = before) {
  return assess({ before: router(before), after: router(after), sources, services: SERVICES, ours });
}

/** One column of the table after the change: source -> answer. */
function column(name: keyof typeof SERVICES, change: ReturnType<typeof assessed>, when: "before" | "after") {
  return Object.fromEntries(
    change.access.map(({ source, services }) => [source.network, services[name][when].access]),
  );
}

test("rows are ourselves, the caller, every network once, and the internet of both families", () => {
  const rows = assessed({}).access.map(({ source }) => `${source.kind} ${source.network}`);
  expect(rows).toEqual([
    "management 100.64.0.1",
    "caller 10.0.0.5",
    "policy 10.0.0.0/8",
    "policy fd00::/8",
    "internet 0.0.0.0/0",
    "internet ::/0",
  ]);
});

test("a network that only the router admits has a row, and what becomes of it is shown", () => {
  const admitting = { services: serviceRows({ ssh: { address: "203.0.113.0/24,10.0.0.0/8,$(reboot)" } }) };
  const closing = { services: serviceRows({ ssh: { address: "10.0.0.0/8" } }) };
  const change = assessed(admitting, closing);
  const row = change.access.find(({ source }) => source.kind === "router");
  expect(change.access.filter(({ source }) => source.kind === "router")).toHaveLength(1);
  expect(row).toMatchObject({
    source: { network: "203.0.113.0/24" },
    services: { ssh: { before: { access: "yes" }, after: { access: "no" } } },
  });
});

/** The management filter as Portreeve makes it, in front of the rules of the router's own that end everything. */
const managed = (...own: Row[]): Row[] =>
  rules(
    { action: "accept", "connection-state": "established,related,untracked" },
    { action: "jump", "jump-target": "portreeve", comment: "portreeve: jump" },
    ...own,
    {
      chain: "portreeve",
      action: "accept",
      protocol: "tcp",
      "dst-port": "22",
      "src-address-list": "portreeve-ssh",
      comment: "portreeve: accept ssh",
    },
    { chain: "portreeve", action: "drop", protocol: "tcp", "dst-port": "22", comment: "portreeve: drop" },
  );
const lists = [
  { list: "portreeve-ssh", address: "100.64.0.1" },
  { list: "portreeve-ssh", address: "10.0.0.0/8" },
];
const onlySsh = serviceRows({
  ssh: { address: "100.64.0.1/32,10.0.0.0/8" },
  ...Object.fromEntries(
    ["telnet", "ftp", "www", "www-ssl", "api", "winbox", "api-ssl"].map((name) => [
      name,
      { disabled: "true" },
    ]),
  ),
});

test("the table shows who gets in before and after, for each service by itself", () => {
  const change = assessed({}, { filter: managed(), lists, services: onlySsh });
  expect(column("ssh", change, "before")).toEqual({
    "100.64.0.1": "yes",
    "10.0.0.5": "yes",
    "10.0.0.0/8": "yes",
    "fd00::/8": "yes",
    "0.0.0.0/0": "yes",
    "::/0": "yes",
  });
  expect(column("ssh", change, "after")).toEqual({
    "100.64.0.1": "yes",
    "10.0.0.5": "yes",
    "10.0.0.0/8": "yes",
    "fd00::/8": "no",
    "0.0.0.0/0": "partly",
    "::/0": "no",
  });
  expect(new Set(Object.values(column("telnet", change, "after")))).toEqual(new Set(["no"]));
  expect(change.warnings).toEqual([]);
});

test("every answer names the rule or setting that decides, and a partly the networks", () => {
  const { access } = assessed({ filter: managed(), lists, services: onlySsh });
  const cell = (network: string, name: "ssh" | "winbox") =>
    access.find(({ source }) => source.network === network)?.services[name].after;
  expect(cell("10.0.0.5", "ssh")).toEqual({
    access: "yes",
    because: ['rule 2 "portreeve: accept ssh"', "service ssh lists it"],
    networks: [],
  });
  expect(cell("0.0.0.0/0", "ssh")).toMatchObject({
    access: "partly",
    because: ["service ssh lists a part of it", 'rule 2 "portreeve: accept ssh"'],
    networks: ["10.0.0.0/8", "100.64.0.1"],
  });
  expect(cell("fd00::/8", "ssh")?.because).toEqual(["the address list of service ssh names no IPv6 network"]);
  expect(cell("10.0.0.5", "winbox")?.because).toEqual(["service winbox is disabled"]);
});

/** What RouterOS sets up on a home router; source: MikroTik manual, "Default configurations". */
const DEFCONF = rules(
  {
    action: "accept",
    "connection-state": "established,related,untracked",
    comment: "defconf: accept established,related,untracked",
  },
  { action: "drop", "connection-state": "invalid", comment: "defconf: drop invalid" },
  { action: "accept", protocol: "icmp", comment: "defconf: accept ICMP" },
  {
    action: "accept",
    "dst-address": "127.0.0.1",
    comment: "defconf: accept to local loopback (for CAPsMAN)",
  },
  { action: "drop", "in-interface-list": "!LAN", comment: "defconf: drop all not coming from LAN" },
);

test("under MikroTik's default configuration it depends on where a connection comes in", () => {
  const change = assessed({ filter: DEFCONF });
  const everywhere = column("ssh", change, "after");
  expect(everywhere).toMatchObject({ "10.0.0.5": "depends", "0.0.0.0/0": "depends", "::/0": "yes" });
  expect(change.access[1]?.services.ssh.after.because).toEqual([
    'rule 3 "defconf: accept to local loopback (for CAPsMAN)" (depends on dst-address=127.0.0.1)',
    'rule 4 "defconf: drop all not coming from LAN" (depends on in-interface-list=!LAN)',
    "no rule: what none stops is accepted",
  ]);
  expect(change.warnings).toEqual([
    expect.stringMatching(
      /^IPv4 rule 4 "defconf: drop all not coming from LAN" may refuse .*ssh.* to 0\.0\.0\.0\/0/,
    ),
  ]);
});

test("a catch-all drop ahead of our rules is reported for what it shuts out, and behind them not at all", () => {
  const dropAll = { action: "drop", comment: "drop all" };
  const behind = assessed({ filter: [...managed(), ...rules(dropAll)], lists, services: onlySsh });
  expect(behind.warnings).toEqual([]);
  const ahead = assessed({ filter: [...rules(dropAll), ...managed()], lists, services: onlySsh });
  expect(new Set(Object.values(column("ssh", ahead, "after")))).toEqual(new Set(["no"]));
  expect(ahead.warnings).toEqual([
    'IPv4 rule 0 "drop all" refuses ssh to 10.0.0.0/8, 100.64.0.1, which the policy admits',
  ]);
});

test("a rule of the router's own that accepts, ahead of ours, what the policy closes is reported", () => {
  const open = { action: "accept", protocol: "tcp", "dst-port": "22,80", comment: "old" };
  const { warnings } = assessed({ filter: [...rules(open), ...managed()], lists, services: onlySsh });
  expect(warnings).toEqual([
    expect.stringMatching(
      /^IPv4 rule 0 "old" accepts ssh from 0\.0\.0\.0-9\.255\.255\.255, .*ahead of Portreeve's rules; only/,
    ),
  ]);
});

/** The stages of a published guide: forward, so that one connection climbs through all of them. */
const add = {
  action: "add-src-to-address-list",
  protocol: "tcp",
  "dst-port": "8728",
  "connection-state": "new",
};
const guide = rules(
  { ...add, "address-list": "api_stage1", "address-list-timeout": "1m" },
  { ...add, "src-address-list": "api_stage1", "address-list": "api_stage2", "address-list-timeout": "1m" },
  { ...add, "src-address-list": "api_stage2", "address-list": "api_blacklist", "address-list-timeout": "1d" },
  {
    action: "drop",
    protocol: "tcp",
    "dst-port": "8728",
    "src-address-list": "api_blacklist",
    comment: "banned",
  },
);

test("a guide's order of stages bans the operator at once: the answer is no", () => {
  const { access, warnings } = assessed({ filter: guide });
  expect(access[0]?.services.api.after).toMatchObject({ access: "no", because: ['rule 3 "banned"'] });
  expect(access[0]?.services.ssh.after.access).toBe("yes");
  expect(warnings[0]).toMatch(/rule 3 "banned" refuses api/);
});

test("MikroTik's order bans after a few connections: the answer is yes, with a warning", () => {
  const reversed = rules(guide[3] as Row, guide[2] as Row, guide[1] as Row, guide[0] as Row);
  const { access, warnings } = assessed({ filter: reversed });
  expect(access[0]?.services.api.after.access).toBe("yes");
  expect(warnings).toEqual([
    "IPv4 rule 1 puts 10.0.0.0/8, 100.64.0.1 on the list api_blacklist for connecting to api, and then " +
      'rule 0 "banned" refuses it: a few connections in a row end the access',
  ]);
  const exempt = rules({ action: "accept", "src-address": "10.0.0.0/8" }, ...reversed);
  expect(assessed({ filter: exempt }).warnings).toEqual([
    expect.stringMatching(/puts 100\.64\.0\.1 on the list/),
  ]);
});

test("a router without IPv6 answers nobody there", () => {
  const { "/ipv6/firewall/filter": _filter, ...menus } = Object.fromEntries(router({}));
  const observed = new Map(Object.entries(menus));
  const change = assess({ before: observed, after: observed, sources, services: SERVICES, ours });
  expect(change.inputChain.ipv6).toBeNull();
  expect(change.access.at(-1)?.services.ssh.after).toMatchObject({
    access: "no",
    because: ["this router has no IPv6"],
  });
});

test("the input chain is shown in order, with the chains it leads into, in RouterOS's words", () => {
  const own = rules(
    { action: "jump", "jump-target": "portreeve", comment: "portreeve: jump" },
    { chain: "forward", action: "drop" },
    {
      action: "drop",
      disabled: "true",
      log: "false",
      "log-prefix": "",
      bytes: "12",
      comment: 'a "b"\n/user add',
    },
    { chain: "portreeve", action: "return", dynamic: "true" },
  );
  expect(assessed({ filter: own }).inputChain.ipv4).toEqual([
    {
      number: 0,
      text: 'add chain=input action=jump jump-target=portreeve comment="portreeve: jump"',
      ours: true,
      dynamic: false,
      disabled: false,
    },
    {
      number: 2,
      text: 'add chain=input action=drop disabled=true comment="a \\"b\\"\\0A/user add"',
      ours: false,
      dynamic: false,
      disabled: true,
    },
    { number: 3, text: "add chain=portreeve action=return", ours: false, dynamic: true, disabled: false },
  ]);
});

test("what is too long to be shown is cut, and the warnings say so", () => {
  const networks = Array.from({ length: 103 }, (_, n) => `10.${n}.0.0/16`);
  const observed = router({ filter: rules(...Array.from({ length: 1_001 }, () => ({ action: "log" }))) });
  const asked = { management: "100.64.0.1", caller: undefined, networks };
  const change = assess({ before: observed, after: observed, sources: asked, services: SERVICES, ours });
  expect(change.access).toHaveLength(1 + 100 + 2);
  expect(change.inputChain.ipv4).toHaveLength(1_000);
  expect(change.warnings).toEqual([
    "of 1001 rules of IPv4 the first 1000 are shown",
    "the table leaves out 3 more networks that are named",
  ]);
});

test("rules nobody could follow are answered with depends", () => {
  const doubling = Array.from({ length: 31 }, (_, n) => {
    const chain = n === 0 ? "input" : `c${n}`;
    return rules(
      { chain, action: "jump", "jump-target": `c${n + 1}` },
      { chain, action: "jump", "jump-target": `c${n + 1}` },
    );
  }).flat();
  const { access } = assessed({ filter: doubling });
  expect(access[0]?.services.ssh.after).toMatchObject({ access: "depends", because: [/more rules/, /./] });
});
