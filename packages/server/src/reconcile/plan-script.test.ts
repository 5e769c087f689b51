/** One plan, two deliveries: a router that runs the script is left as one that was given the steps over the API. */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import {
  certificate,
  ipService,
  parseVersion,
  RouterClient,
  type Row,
  script,
  userGroup,
} from "@portreeve/routeros";
import { describe, expect, test } from "vitest";
import { desiredUser } from "../credentials/index.ts";
import { desired, type PolicyFacts } from "../policies/desired.ts";
import { deliver } from "../routers/api/deliver.ts";
import { observe } from "../routers/api/observe.ts";
import { Secret } from "../vault/index.ts";
import { plan } from "./plan.ts";
import { confirmScript, planScript } from "./plan-script.ts";
import { readsOf } from "./reads.ts";
import { rollbackTimerRead } from "./rollback-timer.ts";
import type { DesiredMenu, Step } from "./types.ts";

const NEVER = new AbortController().signal;
const PASSWORD = "canary";
const OURS = { name: "portreeve-api", password: 'p"a$s\\[x]' };
const REPORT = script`:log info ("report " . $armed . " " . $delivered)`;
const OPTIONS = { report: REPORT, rollbackSeconds: 90, secret: () => OURS.password };

const closed = (port: number) => ({ enabled: false, port, networks: [] });
const first: PolicyFacts = {
  services: {
    winbox: { enabled: true, port: 8291, networks: ["10.0.0.0/8"] },
    ssh: { enabled: true, port: 2222, networks: ["192.0.2.0/24", "2001:db8::/32"] },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: ["127.0.0.0/8"] },
    api_ssl: closed(8729),
  },
  trustedNetworks: ["127.0.0.0/8"],
  managementTransport: "api",
  customInputRules: true,
  bruteForceProtection: false,
  reportDrift: false,
};
/** Rules move, lists shrink, services swap. */
const second: PolicyFacts = {
  ...first,
  services: { ...first.services, winbox: closed(8291), ssh: { enabled: true, port: 22, networks: null } },
  customInputRules: false,
  bruteForceProtection: true,
};

describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
  test("a script leaves the router as the API leaves it, rule by rule, and reports how far it came", async () => {
    await using byApi = await startRouter(version);
    await using byScript = await startRouter(version);
    for (const facts of [first, second]) {
      const steps = await planFor(byApi, wanted(facts));
      expect(await planFor(byScript, wanted(facts))).toEqual(steps);
      await overApi(byApi, steps);
      expect(await run(byScript, planScript({ steps, rollback: false }, OPTIONS))).toBe(
        `report true ${steps.length}`,
      );
      expect(configuration(byScript)).toEqual(configuration(byApi));
      expect(await planFor(byScript, wanted(facts))).toEqual([]);
    }
    await using _client = await connect(byScript, OURS.name, OURS.password);
  });

  test("a change behind a rollback timer is undone unless it is confirmed in time", async () => {
    await using router = await startRouter(version);
    const before = configuration(router);
    const steps = await planFor(router, wanted(first));
    const armed = planScript({ steps, rollback: true }, OPTIONS);
    expect(await run(router, armed)).toBe(`report true ${steps.length}`);
    expect(configuration(router)).not.toEqual(before);
    await router.control.advanceClock(91_000);
    expect(configuration(router)).toEqual(before);

    const again = await planFor(router, wanted(first));
    await run(router, planScript({ steps: again, rollback: true }, OPTIONS));
    const confirm = confirmScript(script`:log info ("report " . $stands)`);
    expect(await run(router, confirm)).toBe("report true");
    const after = configuration(router);
    await router.control.advanceClock(200_000);
    expect(configuration(router)).toEqual(after);
    expect(await run(router, confirm)).toBe("report false");
    expect(router.control.rows(rollbackTimerRead.menu).filter(({ name }) => name !== "run")).toEqual([]);
  });

  test("the first refusal ends it, and the report says at which step", async () => {
    await using router = await startRouter(version);
    const groups: DesiredMenu = {
      menu: userGroup,
      rows: [
        { key: "a", fields: { policy: "read" } },
        { key: "full", fields: { policy: "read" } },
        { key: "c", fields: { policy: "read" } },
      ],
      owns: "none",
    };
    const steps = await planFor(router, [groups]);
    await router.control.addRow("/user/group", { name: "c", policy: "read" });
    expect(await run(router, planScript({ steps, rollback: false }, OPTIONS))).toMatch(/^report true [12]$/);
    const names = router.control.rows("/user/group").map(({ name }) => name);
    expect(names.filter((name) => name === "c")).toHaveLength(1);
  });

  test("a certificate is made, signed and served by one script after the other", async () => {
    await using router = await startRouter(version);
    const made = (nextCommand: NonNullable<DesiredMenu["rows"][number]["nextCommand"]>): DesiredMenu => ({
      menu: certificate,
      rows: [{ key: "ours", fields: { "common-name": "x", "key-usage": "tls-server" }, nextCommand }],
      owns: "none",
    });
    const sign = { command: "sign", values: { number: "ours" } } as const;
    const served = { key: "api-ssl", fields: { certificate: "ours", "tls-version": "only-1.2" } };
    for (const menus of [
      [made("add")],
      [made(sign)],
      [{ menu: ipService, rows: [served], owns: "none" }],
    ] as const) {
      const steps = await planFor(router, menus);
      expect(await run(router, planScript({ steps, rollback: false }, OPTIONS))).toBe("report true 1");
    }
    const [service] = router.control.rows("/ip/service").filter(({ name }) => name === "api-ssl");
    expect(service).toMatchObject({ certificate: "ours" });
  });
});

test("a plan that holds a secret is not written where secrets must not go", async () => {
  await using router = await startRouter("7.18");
  const steps = await planFor(router, wanted(first));
  expect(() => planScript({ steps, rollback: false }, { report: REPORT, rollbackSeconds: 90 })).toThrow(
    "a script must not hold the secrets of: /user add name=portreeve-api",
  );
});

test("steps are plain data: stored and read back they make the same script", async () => {
  await using router = await startRouter("7.18");
  const steps = await planFor(router, wanted(first));
  const stored = JSON.stringify(steps);
  expect(stored).toContain('"secrets":{"password":{"of":"credentials","id":"1"}}');
  const delivery = { steps: JSON.parse(stored) as Step[], rollback: true };
  expect(planScript(delivery, OPTIONS).text).toBe(planScript({ steps, rollback: true }, OPTIONS).text);
});

/** Our user and group, and a policy. */
function wanted(facts: PolicyFacts) {
  return (router: Emulator): DesiredMenu[] => {
    const version = parseVersion(router.version);
    const at = { version, managementAddress: "127.0.0.1", offboarding: false, observed: new Map() };
    // Where the API listens is the test's business.
    const api = { enabled: true, port: 8728, networks: ["127.0.0.0/8"] };
    const policy = desired({ ...facts, services: { ...facts.services, api } }, at);
    return [...policy, ...desiredUser(OURS.name, { of: "credentials", id: "1" }, at)];
  };
}

async function startRouter(version: string): Promise<Emulator> {
  const router = await startEmulator({
    version,
    ports: { api: 0 },
    listen: ["api"],
    username: "admin",
    password: PASSWORD,
  });
  const rules = [
    { action: "accept", "connection-state": "established,related" },
    { action: "accept", protocol: "icmp", comment: "theirs" },
    { action: "drop", "in-interface": "ether1" },
  ];
  for (const rule of rules) await router.control.addRow("/ip/firewall/filter", { chain: "input", ...rule });
  return router;
}

function connect(router: Emulator, username: string, password: string): Promise<RouterClient> {
  const { address: host } = router;
  return RouterClient.connect({ host, port: router.port("api"), username, password });
}

async function planFor(
  router: Emulator,
  menus: readonly DesiredMenu[] | ((router: Emulator) => DesiredMenu[]),
): Promise<readonly Step[]> {
  const version = parseVersion(router.version);
  const rows = typeof menus === "function" ? menus(router) : menus;
  await using client = await connect(router, "admin", PASSWORD);
  return plan(rows, await observe(client, readsOf(rows, version), NEVER), version).steps.filter(
    ({ menu, target }) => menu !== "/ip/service" || target.key !== "api",
  );
}

async function overApi(router: Emulator, steps: readonly Step[]): Promise<void> {
  await using client = await connect(router, "admin", PASSWORD);
  await deliver(steps, client, { signal: NEVER, open: async () => new Secret(OURS.password) });
}

/** Have the router's own scheduler run it, once. @returns what it reported */
async function run(router: Emulator, { text }: { text: string }): Promise<string | undefined> {
  const before = router.control.rows("/log").length;
  await router.control.addRow("/system/scheduler", { name: "run", interval: "1s", "on-event": text });
  await router.control.advanceClock(1_000);
  await router.control.removeRow("/system/scheduler", "run");
  const lines = router.control.rows("/log").slice(before);
  return lines.findLast(({ message = "" }) => message.startsWith("report "))?.message;
}

/** Every row these plans touch, in order. */
function configuration(router: Emulator): Record<string, Row[]> {
  const menus = ["/ip/service", "/ip/firewall/filter", "/ip/firewall/address-list", "/user", "/user/group"];
  return Object.fromEntries(
    menus.map((menu) => [
      menu,
      router.control
        .rows(menu)
        .filter((row) => row.dynamic !== "true" && row.name !== "api")
        .map(({ ".id": _id, bytes: _b, packets: _p, "last-logged-in": _l, ...row }) => row as Row)
        .toSorted(menu.endsWith("address-list") ? byComment : () => 0),
    ]),
  );
}

/** The order of an address list means nothing. */
function byComment(a: Row, b: Row): number {
  return (a.comment ?? "").localeCompare(b.comment ?? "");
}
