/** What an idle router costs its line in a day: measured in parts, through a relay that counts bytes. */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { describe, expect } from "vitest";
import { readingPeriod } from "../packages/server/src/routers/watch/schedule.ts";
import { ADMIN, adopt, expectStatus, PORTS, readSite, type TestServer, waitFor } from "./harness/index.ts";
import { Relay } from "./harness/relay.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

const DAY_S = 86_400;
/** The period as an operator has it. */
const CHECKS_A_DAY = DAY_S / 30;

/** Commands of this name that the router was sent. */
const count = ({ control }: Emulator, command: string): number =>
  control.transcript().filter(({ direction, words }) => direction === "in" && words[0] === command).length;
const readings = (router: Emulator) => count(router, "/system/identity/print");
const heartbeats = (router: Emulator) => count(router, "/user/print") - readings(router);

/** As the emulator is, and then with rules and entries of somebody's, none of which is ours. */
async function fill({ control }: Emulator, rules: number, entries: number): Promise<void> {
  for (let n = 0; n < rules; n++) {
    const match = { chain: "forward", "src-address": `10.${n >> 8}.${n & 255}.0/24` };
    const more = { "dst-port": String(n + 1), protocol: "tcp", comment: `customer ${n}` };
    await control.addRow("/ip/firewall/filter", { ...match, ...more, action: "accept" });
  }
  for (let n = 0; n < entries; n++) {
    await control.addRow("/ip/firewall/address-list", {
      list: "customers",
      address: `100.64.${n >> 8}.${n & 255}`,
    });
  }
}

/** So many heartbeats more, and the last one answered. */
async function beats(relay: Relay, router: Emulator, times: number): Promise<void> {
  const enough = heartbeats(router) + times;
  await waitFor(() => heartbeats(router) >= enough, { what: "heartbeats" });
  let [bytes, quietLooks] = [-1, 0];
  const isQuiet = () => {
    quietLooks = relay.bytes === bytes ? quietLooks + 1 : 0;
    bytes = relay.bytes;
    return quietLooks >= 10;
  };
  await waitFor(isQuiet, { what: "the line to be quiet" });
}

async function costOf(server: TestServer, rules: number, entries: number) {
  await using router = await startEmulator({
    address: server.net.address(),
    ports: { api: PORTS.api },
    listen: ["api"],
    ...ADMIN,
  });
  await fill(router, rules, entries);
  const host = server.net.address();
  await using relay = await Relay.open({
    at: { host, port: PORTS.api },
    to: { host: router.address, port: PORTS.api },
    from: server.managementAddress,
  });
  const site = await adopt(server.api, router, { address: host });

  await beats(relay, router, 2);
  const before = { bytes: relay.bytes, heartbeats: heartbeats(router), readings: readings(router) };
  await beats(relay, router, 4);
  const heartbeat = (relay.bytes - before.bytes) / (heartbeats(router) - before.heartbeats);
  expect(readings(router)).toBe(before.readings);

  const from = { bytes: relay.bytes, heartbeats: heartbeats(router) };
  expectStatus(await server.api.post(`/v1/sites/${site.id}/reconcile`), 202);
  await waitFor(() => readings(router) > before.readings, { what: "a reading" });
  await beats(relay, router, 2);
  const reading = relay.bytes - from.bytes - (heartbeats(router) - from.heartbeats) * heartbeat;

  const { traffic } = await readSite(server.api, site.id);
  const counted = traffic.bytes_sent + traffic.bytes_received;
  expect(counted).toBeLessThanOrEqual(relay.bytes);
  expect(counted).toBeGreaterThan(relay.bytes * 0.9);

  const periodS = readingPeriod({ metered: false, readBytes: reading }) / 1000;
  const day = CHECKS_A_DAY * heartbeat + (DAY_S / periodS) * reading;
  const metered = (DAY_S / 300) * heartbeat + 4 * reading;
  process.stdout.write(
    `${rules} rules, ${entries} entries: heartbeat ${Math.round(heartbeat)} bytes, reading ${Math.round(reading)}, ` +
      `every ${Math.round(periodS)} s: ${Math.round(day)} bytes a day; metered ${Math.round(metered)}\n`,
  );
  return day;
}

describe("an idle router costs its line", () => {
  test("at most 1.5 MB a day with the default configuration", async ({ server }) => {
    expect(await costOf(server, 0, 0)).toBeLessThanOrEqual(1_500_000);
  });

  test("at most 5 MB a day with 500 rules and 5,000 list entries", { timeout: 120_000 }, async ({
    server,
  }) => {
    expect(await costOf(server, 500, 5_000)).toBeLessThanOrEqual(5_000_000);
  });
});
