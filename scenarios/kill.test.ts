/** Server and database are killed at any moment, again and again, while operators work: nothing acknowledged is lost. */
import { setTimeout as delay } from "node:timers/promises";
import type { Policy, TransientAccess } from "@portreeve/api-schema";
import { RouterClient } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { inChaos } from "./harness/chaos.ts";
import {
  credentialsOf,
  expectInSync,
  expectStatus,
  expectStoredLogin,
  type ManagedRouter,
  readSite,
  startManagedRouter,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { Load } from "./harness/load.ts";
import { Random } from "./harness/random.ts";
import { listeningPorts, ServerProcess } from "./harness/server-process.ts";

const KILLS = inChaos({ short: 50, long: 1_000 });
const TIMEOUT_MS = KILLS * 7_200;
const ROUTERS = 3;
/** Killed at a moment up to this long after it was ready, or after it was started, milliseconds. */
const WORK_MS = 900;
const START_MS = 700;
const SETTLED_WITHIN_MS = 30_000;

test(
  `${KILLS} kills under load lose no acknowledged write, no router, and no access that was closed opens again`,
  async () => {
    const random = new Random();
    await using server = await ServerProcess.prepare({ PORTREEVE_LOG_LEVEL: "warn" });
    await using routers = new AsyncDisposableStack();
    let kills = 0;
    try {
      server.start();
      await server.ready();
      await useBindablePorts(server.api);
      const managed: ManagedRouter[] = [];
      for (let number = 1; number <= ROUTERS; number++) {
        const one = await startManagedRouter(server, { identity: `router-${number}` });
        routers.use(one.router);
        managed.push(one);
      }
      const load = new Load(
        server,
        random,
        managed.map(({ site }) => site.id),
      );
      for (; kills < KILLS; kills++) {
        await delay(random.below(WORK_MS));
        if (random.chance(0.1)) await server.killDatabase();
        else await server.kill();
        if (!server.isRunning) server.start();
        if (random.chance(0.2)) {
          await delay(random.below(START_MS));
          await server.kill();
          kills++;
          server.start();
        }
        await server.ready();
        await expectNoStrayListener(server, managed);
        for (const one of managed) await expectStoredLogin(server.api, one);
        await load.check();
      }
      await load.stop();
      expect(load.acknowledged).toBeGreaterThan(KILLS);
      await expectSettled(server, managed);
      await expectNothingLost(server, managed, load);
      expect(await server.stop()).toBe(0);
      expect(await server.databasePid()).toBeUndefined();
    } catch (error) {
      const where = `PORTREEVE_TEST_SEED=${random.seed}, after ${kills} kills`;
      const last = server.output().slice(-4000);
      throw new Error(`${where}: ${error instanceof Error ? error.message : error}\n${last}`, {
        cause: error,
      });
    }
  },
  TIMEOUT_MS,
);

/** Every port that is open belongs to an access that is open. */
async function expectNoStrayListener(
  server: ServerProcess,
  managed: readonly ManagedRouter[],
): Promise<void> {
  let stray: number[] = [];
  const none = async () => {
    const listening = await gatewayPorts(server);
    const open = new Set((await openAccess(server, managed)).map(({ port }) => port));
    stray = listening.filter((port) => !open.has(port));
    return stray.length === 0;
  };
  // A revocation and the closing of its port are some milliseconds apart, operators are at work meanwhile, and a
  // database that was just killed may not answer the first look. A port that nobody closes stays open however long.
  await waitFor(none, { within: 20_000, what: "ports without an open access to close" }).catch((cause) => {
    throw new Error(`ports ${stray.join()} are open and no access is`, { cause });
  });
}

async function gatewayPorts(server: ServerProcess): Promise<number[]> {
  return (await listeningPorts(server.gatewayAddress)).filter((port) => port >= 20_000 && port <= 29_999);
}

async function openAccess(
  server: ServerProcess,
  managed: readonly ManagedRouter[],
): Promise<TransientAccess[]> {
  const lists = managed.map(({ site }) =>
    server.api.get(`/v1/control-plane/${site.id}/transient-access?reveal=false`),
  );
  return (await Promise.all(lists)).flatMap((answer) => expectStatus(answer, 200));
}

/** Every router is in sync, has exactly the users it should have, and takes the login that is said to be active. */
async function expectSettled(server: ServerProcess, managed: readonly ManagedRouter[]): Promise<void> {
  for (const { router, site } of managed) {
    await expectInSync(server.api, site.id, { within: SETTLED_WITHIN_MS });
    const known = await credentialsOf(server.api, site.id);
    expect(known.filter(({ state }) => state === "pending")).toEqual([]);
    const [active] = known.filter(({ state }) => state === "active");
    const client = await RouterClient.connect({
      host: router.address,
      port: router.port("api"),
      localAddress: server.managementAddress,
      username: active?.username ?? "",
      password: active?.password ?? "",
    });
    await client.drain();
    const open = await openAccess(
      server,
      managed.filter((one) => one.site.id === site.id),
    );
    // An access that ended last is on its way off the router.
    const users = () => router.control.rows("/user").map(({ name }) => name);
    const expected = ["admin", "portreeve-api", ...open.map(({ username }) => username)];
    await expect.poll(() => users().toSorted()).toEqual(expected.toSorted());
  }
  const open = (await openAccess(server, managed)).map(({ port }) => port);
  await expect.poll(async () => (await gatewayPorts(server)).toSorted()).toEqual(open.toSorted());
}

async function expectNothingLost(
  server: ServerProcess,
  managed: readonly ManagedRouter[],
  load: Load,
): Promise<void> {
  const policies: Policy[] = expectStatus(await server.api.get("/v1/control-plane/policies"), 200);
  const ours = policies.filter((policy) => !policy.default);
  expect(ours.map(({ id }) => id).toSorted()).toEqual([...load.policies.keys()].toSorted());
  for (const policy of load.policies.values()) await load.expectPolicy(policy);
  const fallback = policies.find((policy) => policy.default)?.id;
  for (const { site } of managed) {
    const expected = load.attached.get(site.id) ?? fallback;
    expect((await readSite(server.api, site.id)).policy_id).toBe(expected);
  }
  for (const rotation of load.rotations) {
    const known = await credentialsOf(server.api, rotation.site_id);
    expect(known.find(({ id }) => id === rotation.id)?.password).toBe(rotation.password);
  }
  for (const { siteId, answer, ended } of load.access.values()) {
    const path = `/v1/control-plane/${siteId}/transient-access/${answer.id}`;
    const shown = await waitFor(async () => {
      const one: TransientAccess = expectStatus(await server.api.get(path), 200);
      return (!ended || (one.config_removed_from_mpac && one.config_removed_from_site)) && one;
    });
    const { username, port } = answer;
    expect(shown).toMatchObject({
      username,
      port,
      revoked_early: ended === "revoked",
      expired: ended === "expired",
    });
  }
}
