/** The rollback timer on emulated routers: what it undoes, when, and that nothing else ends it. */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { parseVersion, RouterClient, type Row } from "@portreeve/routeros";
import { describe, expect, test } from "vitest";
import { desired, type PolicyFacts } from "../../policies/desired.ts";
import { plan } from "../../reconcile/plan.ts";
import { readsOf } from "../../reconcile/reads.ts";
import { ROLLBACK_TIMER_SECONDS } from "../../reconcile/rollback-timer.ts";
import type { Step } from "../../reconcile/types.ts";
import { deliver } from "./deliver.ts";
import { observe } from "./observe.ts";
import { armRollbackTimer, disarmRollbackTimer, findRollbackTimer } from "./rollback-timer.ts";

const PASSWORD = "canary";
const NEVER = new AbortController().signal;
const DELIVERY = {
  signal: NEVER,
  open: () => Promise.reject(new Error("no step here holds a secret")),
};

const closed = (port: number) => ({ enabled: false, port, networks: [] });
const policy: PolicyFacts = {
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
/** Other rules, in another place, fewer lists, another service open. */
const another: PolicyFacts = {
  ...policy,
  services: {
    ...policy.services,
    winbox: closed(8291),
    telnet: { enabled: true, port: 2323, networks: ["0.0.0.0/0"] },
    ssh: { enabled: true, port: 22, networks: null },
  },
  customInputRules: false,
  bruteForceProtection: true,
};

const VERSIONS = ["6.49", "7.9", "7.18", "7.24"];

describe.each(VERSIONS)("RouterOS %s", (version) => {
  test("a change that nobody proves is undone when the time is up, rule by rule and in order", async () => {
    await using router = await startRouter(version);
    await change(router, policy);
    const before = configuration(router);

    await withClient(router, async (client) => {
      const steps = await stepsTo(router, another);
      await armRollbackTimer(client, steps, NEVER);
      await deliver(steps, client, DELIVERY);
    });
    expect(configuration(router)).not.toEqual(before);
    await router.control.advanceClock((ROLLBACK_TIMER_SECONDS - 2) * 1000);
    expect(configuration(router)).not.toEqual(before);
    await router.control.advanceClock(3_000);

    expect(configuration(router)).toEqual(before);
    expect(router.control.rows("/system/scheduler")).toEqual([]);
  });

  test("a change that was proven stays", async () => {
    await using router = await startRouter(version);
    await withClient(router, async (client) => {
      const steps = await stepsTo(router, policy);
      await armRollbackTimer(client, steps, NEVER);
      await deliver(steps, client, DELIVERY);
      expect(await disarmRollbackTimer(client, NEVER)).toBe(true);
      expect(await findRollbackTimer(client, NEVER)).toEqual([]);
      expect(await disarmRollbackTimer(client, NEVER)).toBe(false);
    });
    const after = configuration(router);
    await router.control.advanceClock(2 * ROLLBACK_TIMER_SECONDS * 1000);
    expect(configuration(router)).toEqual(after);
  });

  test("a router that reboots meanwhile undoes it as it starts, though its clock is back in 1970", async () => {
    await using router = await startRouter(version);
    await change(router, policy);
    const before = configuration(router);
    await withClient(router, async (client) => {
      const steps = await stepsTo(router, another);
      await armRollbackTimer(client, steps, NEVER);
      await deliver(steps, client, DELIVERY);
    });
    await router.control.reboot({ clock: new Date(0) });
    await router.control.advanceClock(5_000);

    expect(configuration(router)).toEqual(before);
    expect(router.control.rows("/system/scheduler")).toEqual([]);
  });
});

test("a step that can't be undone any more keeps no other from it", async () => {
  await using router = await startRouter("7.16");
  await change(router, policy);
  await withClient(router, async (client) => {
    const steps = await stepsTo(router, another);
    await armRollbackTimer(client, steps, NEVER);
    await deliver(steps, client, DELIVERY);
  });
  // Somebody removes a row that the first undoing step is about, and every rule ours stood before.
  for (const row of router.control.rows("/ip/firewall/filter").filter(({ chain }) => chain === "input")) {
    await router.control.removeRow("/ip/firewall/filter", row[".id"] ?? "");
  }
  await router.control.advanceClock(ROLLBACK_TIMER_SECONDS * 1000 + 1_000);
  const services = router.control.rows("/ip/service").filter((row) => row.dynamic !== "true");
  expect(services.find(({ name }) => name === "winbox")).toMatchObject({ disabled: "false" });
  expect(services.find(({ name }) => name === "telnet")).toMatchObject({ disabled: "true" });
});

/** Open services have ports that can be bound here, whatever the policy says: what counts is the rows. */
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

async function withClient(router: Emulator, use: (client: RouterClient) => Promise<void>): Promise<void> {
  await using client = await RouterClient.connect({
    host: router.address,
    port: router.port("api"),
    username: "admin",
    password: PASSWORD,
  });
  await use(client);
}

async function stepsTo(router: Emulator, facts: PolicyFacts): Promise<readonly Step[]> {
  const version = parseVersion(router.version);
  // Where the API listens is the test's business.
  const api = { ...facts.services.api, enabled: true, port: router.port("api"), networks: ["127.0.0.0/8"] };
  const menus = desired(
    { ...facts, services: { ...facts.services, api } },
    { version, managementAddress: "127.0.0.1", offboarding: false, observed: new Map() },
  );
  let steps: readonly Step[] = [];
  await withClient(router, async (client) => {
    steps = plan(menus, await observe(client, readsOf(menus, version), NEVER), version).steps;
  });
  expect(steps.length).toBeGreaterThan(0);
  return steps;
}

async function change(router: Emulator, facts: PolicyFacts): Promise<void> {
  const steps = await stepsTo(router, facts);
  await withClient(router, (client) => deliver(steps, client, DELIVERY));
}

/** Every row these plans touch, in order, without ids: rows that were put back have new ones. */
function configuration(router: Emulator): Record<string, Row[]> {
  const menus = [
    "/ip/service",
    "/ip/firewall/filter",
    "/ip/firewall/address-list",
    "/ipv6/firewall/filter",
    "/ipv6/firewall/address-list",
  ];
  return Object.fromEntries(
    menus.map((menu) => [
      menu,
      router.control
        .rows(menu)
        .filter((row) => row.dynamic !== "true")
        .map(({ ".id": _id, bytes: _bytes, packets: _packets, ...row }) => row as Row)
        .toSorted(menu.endsWith("address-list") ? byComment : () => 0),
    ]),
  );
}

/** The order of an address list means nothing. */
function byComment(a: Row, b: Row): number {
  return (a.comment ?? "").localeCompare(b.comment ?? "");
}
