/** Brute-force protection on the emulator's real firewall, and the order of rules that bans the operator. */
import { connect } from "node:net";
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { bruteForceRules } from "../packages/server/src/policies/brute-force.ts";
import { LoopbackNet } from "./harness/network.ts";

const PORTS = { telnet: 0, ftp: 0, www: 0, ssh: 0, "www-ssl": 0, api: 0, winbox: 0, "api-ssl": 0 };
const TRUSTED = "portreeve-trusted";
const net = new LoopbackNet();

interface Guarded {
  readonly address?: string;
  readonly trusted: string;
  readonly rules: (apiPort: number) => readonly Readonly<Record<string, string>>[];
}

/** A router whose input chain leads the API to these rules, with one trusted address. */
async function startGuarded({ address = net.address(), trusted, rules }: Guarded): Promise<Emulator> {
  const router = await startEmulator({ address, ports: PORTS, password: "pw" });
  const menu = `${family(address)}/firewall`;
  await router.control.addRow(`${menu}/address-list`, { list: TRUSTED, address: trusted });
  await router.control.addRow(`${menu}/filter`, {
    chain: "input",
    action: "jump",
    "jump-target": "portreeve",
  });
  for (const rule of rules(router.port("api"))) await router.control.addRow(`${menu}/filter`, { ...rule });
  return router;
}

const family = (address: string) => (address.includes(":") ? "/ipv6" : "/ip");

const ours = (apiPort: number) =>
  bruteForceRules({ chain: "portreeve", ports: [apiPort], trustedList: TRUSTED });

const blacklisted = (router: Emulator, list = "portreeve-blacklist") =>
  router.control
    .rows(`${family(router.address)}/firewall/address-list`)
    .filter((row) => row.list === list)
    .map((row) => row.address);

const logIn = (router: Emulator, localAddress: string) =>
  RouterClient.connect({
    host: router.address,
    port: router.port("api"),
    localAddress,
    username: "admin",
    password: "pw",
  });

async function reconnect(router: Emulator, localAddress: string): Promise<void> {
  await using client = await logIn(router, localAddress);
  await client.print("/system/identity");
}

/** Whether the firewall lets a new connection to the API in. */
async function isAdmitted(router: Emulator, localAddress: string): Promise<boolean> {
  const before = router.control.peers("api").length;
  const socket = connect({ host: router.address, port: router.port("api"), localAddress });
  await expect.poll(() => router.control.peers("api").length).toBe(before + 1);
  socket.destroy();
  return router.control.peers("api").at(-1)?.admitted === true;
}

test("a manager from a trusted address reconnects 50 times and is never banned", async () => {
  const manager = net.address();
  await using router = await startGuarded({ trusted: manager, rules: ours });
  for (let n = 0; n < 50; n++) await reconnect(router, manager);
  expect(router.control.rows("/ip/firewall/address-list").map(({ list }) => list)).toEqual([TRUSTED]);
});

test("a guesser from elsewhere is banned at the fourth connection, an open session of it continues", async () => {
  const manager = net.address();
  const guesser = net.address();
  await using router = await startGuarded({ trusted: manager, rules: ours });
  await using open = await logIn(router, guesser);
  await reconnect(router, guesser);
  expect(await isAdmitted(router, guesser)).toBe(true);
  expect(blacklisted(router)).toEqual([]);
  expect(await isAdmitted(router, guesser)).toBe(false);
  expect(blacklisted(router)).toEqual([guesser]);
  expect(await open.print("/system/identity")).toHaveLength(1);
  await reconnect(router, manager);
});

test("a ban ends after a day, whatever the banned source tried meanwhile", async () => {
  const guesser = net.address();
  await using router = await startGuarded({ trusted: net.address(), rules: ours });
  for (let n = 0; n < 3; n++) await reconnect(router, guesser);
  for (let hour = 0; hour < 24; hour++) {
    expect(await isAdmitted(router, guesser)).toBe(false);
    await router.control.advanceClock(3_600_000);
  }
  await router.control.advanceClock(1000);
  expect(blacklisted(router)).toEqual([]);
  await reconnect(router, guesser);
});

test("somebody who connects now and then is not counted up", async () => {
  const visitor = net.address();
  await using router = await startGuarded({ trusted: net.address(), rules: ours });
  for (let n = 0; n < 6; n++) {
    await reconnect(router, visitor);
    await router.control.advanceClock(301_000);
  }
  expect(blacklisted(router)).toEqual([]);
});

test("the same rules do the same for IPv6", async () => {
  await using trusting = await startGuarded({ address: "::1", trusted: "::1/128", rules: ours });
  for (let n = 0; n < 50; n++) await reconnect(trusting, "::1");
  expect(blacklisted(trusting)).toEqual([]);
  await using router = await startGuarded({ address: "::1", trusted: "2001:db8::1/128", rules: ours });
  for (let n = 0; n < 3; n++) await reconnect(router, "::1");
  expect(await isAdmitted(router, "::1")).toBe(false);
  expect(blacklisted(router)).toEqual(["::1"]);
});

/**
 * A published guide has the stages in the order of their names and no exemption. Source: ISP CRM Cloud, "MikroTik API
 * Integration: A Complete Security Guide", 15 June 2026, section 5.
 */
const guide = (apiPort: number) => {
  const count = { protocol: "tcp", "dst-port": String(apiPort), "connection-state": "new" };
  const rules = [
    {
      ...count,
      action: "add-src-to-address-list",
      "address-list": "api_stage1",
      "address-list-timeout": "1m",
    },
    {
      ...count,
      "src-address-list": "api_stage1",
      action: "add-src-to-address-list",
      "address-list": "api_blacklist",
      "address-list-timeout": "24h",
    },
    { protocol: "tcp", "dst-port": count["dst-port"], "src-address-list": "api_blacklist", action: "drop" },
  ];
  return rules.map((rule) => ({ chain: "portreeve", ...rule }));
};

test("stages in the order of their names ban the operator at the first connection", async () => {
  const operator = net.address();
  await using router = await startGuarded({ trusted: operator, rules: guide });
  expect(await isAdmitted(router, operator)).toBe(false);
  expect(blacklisted(router, "api_blacklist")).toEqual([operator]);
});
