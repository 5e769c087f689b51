import { parseVersion, type Row, user, userActive, userGroup } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { desired as accessRows } from "../access/desired.ts";
import { desired as credentialRows } from "../credentials/desired.ts";
import { desired as policyRows } from "../policies/desired.ts";
import { PlanError, plan } from "./plan.ts";
import type { DesiredMenu, Observed, RouterFacts } from "./types.ts";

const router = (version: string): RouterFacts => ({
  version: parseVersion(version),
  managementAddress: "100.64.0.1",
  offboarding: false,
  observed: new Map(),
});

const closed = (port: number) => ({ enabled: false, port, networks: [] });
const policy = {
  services: {
    winbox: { enabled: true, port: 8291, networks: ["10.0.0.0/8"] },
    ssh: { enabled: true, port: 2222, networks: null },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: ["100.64.0.1/32"] },
    api_ssl: closed(8729),
  },
  trustedNetworks: ["192.168.0.0/16"],
  managementTransport: "api" as const,
  customInputRules: true,
  bruteForceProtection: false,
  reportDrift: false,
};

/** A router from the factory, as `print` shows it. */
const factory: Observed = new Map<string, Row[]>([
  [
    "/ip/service",
    [
      ["telnet", 23, "false"],
      ["ftp", 21, "false"],
      ["www", 80, "false"],
      ["ssh", 22, "false"],
      ["www-ssl", 443, "true"],
      ["api", 8728, "false"],
      ["winbox", 8291, "false"],
      ["api-ssl", 8729, "false"],
    ].map(([name, port, disabled], i) => ({
      ".id": `*${i}`,
      name: String(name),
      port: String(port),
      disabled: String(disabled),
      address: "",
    })),
  ],
  ["/user", [{ ".id": "*1", name: "admin", group: "full", address: "", disabled: "false" }]],
  ["/user/group", [{ ".id": "*1", name: "full", policy: "local,ssh,ftp,reboot,read,write,policy,test" }]],
]);

const grant = {
  id: "7f3a",
  username: "aB3",
  password: { of: "transient-access", id: "7f3a" },
  fullAccess: false,
};

function wanted(facts: RouterFacts, open = [grant]): DesiredMenu[] {
  return [
    ...policyRows(policy, facts),
    ...credentialRows("portreeve-api", { of: "credentials", id: "1" }, facts),
    ...accessRows({ open, ended: [] }, facts),
  ];
}

function texts(rows: readonly DesiredMenu[], observed: Observed, version = "7.16"): string[] {
  return plan(rows, observed, parseVersion(version)).steps.map((step) => step.text);
}

test("a router from the factory is closed down, groups before users and the management path last", () => {
  expect(texts(wanted(router("7.16")), factory)).toMatchInlineSnapshot(`
    [
      "/user group add name=portreeve-api policy=api,policy,read,write",
      "/user group add name=portreeve-full policy=ftp,local,password,policy,read,reboot,romon,sensitive,sniff,ssh,telnet,test,web,winbox,write,api",
      "/user group add name=portreeve-read policy=read,ssh,winbox",
      "/user add name=aB3 group=portreeve-read address=100.64.0.1 disabled=no comment="portreeve: transient access 7f3a" password=[hidden]",
      "/ip service set [find name="winbox"] address=100.64.0.1/32,10.0.0.0/8",
      "/ip service set [find name="ssh"] port=2222 address=100.64.0.1/32,192.168.0.0/16",
      "/ip service set [find name="www"] disabled=yes",
      "/ip service set [find name="telnet"] disabled=yes",
      "/ip service set [find name="ftp"] disabled=yes",
      "/ip service set [find name="api-ssl"] disabled=yes",
      "/user add name=portreeve-api group=portreeve-api address=100.64.0.1 disabled=no comment="portreeve: API user - do not edit or remove" password=[hidden]",
      "/ip service set [find name="api"] address=100.64.0.1/32",
    ]
  `);
});

test("from 7.24 the networks of a service are written as available-from", () => {
  const steps = texts(policyRows(policy, router("7.24")), factory, "7.24");
  expect(steps.filter((text) => text.includes("winbox"))).toMatchInlineSnapshot(`
    [
      "/ip service set [find name="winbox"] available-from=100.64.0.1/32,10.0.0.0/8",
    ]
  `);
});

test("planning again after the plan was carried out gives nothing", () => {
  for (const version of ["6.49", "7.9", "7.16", "7.24"]) {
    const rows = wanted(router(version));
    const after = apply(factory, rows, version);
    expect(texts(rows, after, version)).toEqual([]);
  }
});

test("a secret is written when a row is added, shown nowhere and never compared", () => {
  const rows = wanted(router("7.16"));
  const { steps } = plan(rows, factory, parseVersion("7.16"));
  expect(steps.filter((step) => "password" in step.secrets).map((step) => step.target.key)).toEqual([
    "aB3",
    "portreeve-api",
  ]);
  expect(JSON.stringify(steps)).not.toContain("canary");
});

test("other people's rows are left alone", () => {
  const rows = wanted(router("7.16"), []);
  const theirs: Observed = new Map([
    ...apply(factory, rows, "7.16"),
    [
      "/user",
      [
        ...(apply(factory, rows, "7.16").get("/user") ?? []),
        { ".id": "*9", name: "billing", comment: "portreeve is great" },
      ],
    ],
  ]);
  expect(texts(rows, theirs)).toEqual([]);
});

test("the user of a grant that is over goes before its session, each by the command of the version", () => {
  const over = { open: [], ended: [{ id: "7f3a", username: "aB3" }] };
  const observed = (version: string): Observed => {
    const rows = wanted(router(version));
    return new Map([
      ...apply(factory, rows, version),
      [
        "/user/active",
        [
          { ".id": "*C", name: "aB3" },
          { ".id": "*D", name: "admin" },
        ],
      ],
    ]);
  };
  const steps = (version: string) => texts(accessRows(over, router(version)), observed(version), version);
  expect(steps("7.24")).toEqual(['/user remove [find name="aB3"]', '/user active remove [find name="aB3"]']);
  expect(steps("7.16")).toEqual([
    '/user remove [find name="aB3"]',
    '/user active request-logout [find name="aB3"]',
  ]);
  expect(steps("6.49")).toEqual(['/user remove [find name="aB3"]']);
});

test("a right that has to go is written as one that is not granted", () => {
  const rows: DesiredMenu[] = [
    { menu: userGroup, rows: [{ key: "g", fields: { policy: "read,api" } }], owns: "none" },
  ];
  const observed = new Map([["/user/group", [{ ".id": "*5", name: "g", policy: "read,write,api,!ftp" }]]]);
  expect(texts(rows, observed)).toEqual(['/user group set [find name="g"] policy=read,api,!write']);
});

test("equal values in other spellings are no difference", () => {
  const rows: DesiredMenu[] = [
    {
      menu: user,
      rows: [{ key: "u", fields: { address: "2001:DB8:0:0:0:0:0:1", disabled: "no" } }],
      owns: "none",
    },
  ];
  const observed = new Map([
    ["/user", [{ ".id": "*5", name: "u", address: "2001:db8::1/128", disabled: "false" }]],
  ]);
  expect(texts(rows, observed)).toEqual([]);
});

test("dynamic rows under a service's name are not mistaken for the service", () => {
  const rows = policyRows(policy, router("7.20"));
  const listener = { ".id": "*F0", name: "ssh", port: "22", dynamic: "true" };
  const settled = apply(factory, rows, "7.20");
  const observed = new Map([["/ip/service", [listener, ...(settled.get("/ip/service") ?? [])]]]);
  expect(texts(rows, observed, "7.20")).toEqual([]);
});

test("a service that takes another's port is set after the one that gives it up", () => {
  const swapped = {
    ...policy,
    services: {
      ...policy.services,
      ssh: { enabled: true, port: 80, networks: ["10.0.0.0/8"] },
      http: { enabled: true, port: 8080, networks: ["10.0.0.0/8"] },
    },
  };
  const ports = plan(policyRows(swapped, router("7.16")), factory, parseVersion("7.16"))
    .steps.filter((step) => step.values.port !== undefined)
    .map((step) => `${step.target.key} ${step.values.port}`);
  expect(ports).toEqual(["www 8080", "ssh 80"]);
});

test("services that pass ports on in a ring, the management path among them, arrive after two plans", () => {
  const enabled = (port: number) => ({ enabled: true, port, networks: ["10.0.0.0/8"] });
  const ring = { ...policy.services, winbox: enabled(22), ssh: enabled(8728), api: enabled(8291) };
  const rows = policyRows({ ...policy, services: ring }, router("7.16"));
  const changes = (observed: Observed) =>
    plan(rows, observed, parseVersion("7.16"))
      .steps.filter(({ target }) => ["winbox", "ssh", "api"].includes(target.key))
      .map(({ target, values }) => [target.key, values.port, values.disabled]);
  expect(changes(factory)).toEqual([
    ["ssh", undefined, "yes"],
    ["winbox", "22", undefined],
    ["api", "8291", undefined],
  ]);
  const once = apply(factory, rows, "7.16");
  expect(changes(once)).toEqual([["ssh", "8728", "no"]]);
  expect(texts(rows, apply(once, rows, "7.16"))).toEqual([]);
});

test("a service may take the port of one that is closed", () => {
  const services = { ...policy.services, ssh: { enabled: true, port: 23, networks: ["10.0.0.0/8"] } };
  const steps = plan(
    policyRows({ ...policy, services }, router("7.16")),
    factory,
    parseVersion("7.16"),
  ).steps;
  const order = steps.map(({ target }) => target.key);
  expect(order.indexOf("telnet")).toBeLessThan(order.indexOf("ssh"));
  expect(steps.find(({ target }) => target.key === "ssh")?.values.port).toBe("23");
});

test("off-boarding removes our rows, our own user and its group last, and leaves the services closed", () => {
  const observed = apply(factory, wanted(router("7.16")), "7.16");
  expect(texts(wanted({ ...router("7.16"), offboarding: true }), observed)).toEqual([
    '/user remove [find name="aB3"]',
    '/user group remove [find name="portreeve-full"]',
    '/user group remove [find name="portreeve-read"]',
    '/user remove [find name="portreeve-api"]',
    '/user group remove [find name="portreeve-api"]',
  ]);
});

test("a built-in row the router lacks is an error only when it should be open", () => {
  const none: Observed = new Map([["/ip/service", []]]);
  expect(() => plan(policyRows(policy, router("7.16")), none, parseVersion("7.16"))).toThrow(PlanError);
  const allClosed = Object.fromEntries(
    Object.entries(policy.services).map(([name, s]) => [name, { ...s, enabled: false }]),
  );
  const rows = policyRows({ ...policy, services: allClosed }, router("7.16")).map((menu) => ({
    ...menu,
    rows: menu.rows.filter((row) => row.managementPath !== true),
  }));
  expect(plan(rows, none, parseVersion("7.16")).steps).toEqual([]);
});

test("a step is shown without characters that would reach a terminal or end the string", () => {
  const rows: DesiredMenu[] = [{ menu: userActive, rows: [], owns: "every" }];
  const observed = new Map([["/user/active", [{ ".id": "*1", name: 'x"; /user add \u001b[31m$y\\' }]]]);
  expect(texts(rows, observed, "7.24")).toEqual([
    '/user active remove [find name="x\\"; /user add \\1B[31m\\$y\\\\"]',
  ]);
});

/** A pretend router: carries a plan out on observed rows. The emulator does it for real; this keeps the planner alone. */
function apply(observed: Observed, rows: readonly DesiredMenu[], version: string): Map<string, Row[]> {
  const result = new Map([...observed].map(([menu, list]) => [menu, list.map((row) => ({ ...row }))]));
  let next = 100;
  for (const step of plan(rows, observed, parseVersion(version)).steps) {
    const list = result.get(step.menu) ?? [];
    result.set(step.menu, list);
    const index = list.findIndex((row) => row[".id"] === step.target.id);
    if (step.command === "add")
      list.push({ ".id": `*${(next++).toString(16).toUpperCase()}`, ...step.values });
    else if (step.command === "set") list[index] = { ...list[index], ...step.values };
    else list.splice(index, 1);
  }
  return result;
}
