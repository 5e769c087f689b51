/** Changes of the management path, with a real server: proven by a new login, or undone by the router itself. */
import { describe, expect } from "vitest";
import {
  ADMIN,
  createPolicy,
  expectInSync,
  expectStatus,
  expectSync,
  type ManagedRouter,
  policyOf,
  startManagedRouter,
  startRouter,
  type TestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";
import { ServerProcess } from "./harness/server-process.ts";

const VERSIONS = ["6.49", "7.9", "7.18", "7.24"];
const AFTER_ROLLBACK_TIMER_MS = 91_000;

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

const apiPort = ({ router }: Pick<ManagedRouter, "router">) =>
  Number(
    router.control.rows("/ip/service").find(({ name, dynamic }) => name === "api" && dynamic !== "true")
      ?.port,
  );
const entries = ({ router }: Pick<ManagedRouter, "router">) => router.control.rows("/system/scheduler");

/** A policy of its own for the site, so that a change of it is a change of this router only. */
async function ownPolicy(server: TestServer, { site }: ManagedRouter): Promise<string> {
  const { id } = await createPolicy(server.api);
  expectStatus(await server.api.put(`/v1/control-plane/policies/${id}/sites`, { sites: [site.id] }), 200);
  await expectInSync(server.api, site.id);
  return id;
}

async function movePort(server: TestServer, policyId: string, port: number): Promise<void> {
  const body = policyOf({ api: { port } });
  expectStatus(await server.api.put(`/v1/control-plane/policies/${policyId}`, body), 200);
}

describe.each(VERSIONS)("RouterOS %s", (version) => {
  test("the router can undo the change before it is made, and no more once a new login came", async ({
    server,
  }) => {
    const managed = await startManagedRouter(server, { version });
    await using _router = managed.router;
    const policyId = await ownPolicy(server, managed);
    const seen = managed.router.control.transcript().length;

    await movePort(server, policyId, 18_728);
    await waitFor(() => apiPort(managed) === 18_728, { what: "the port to move" });
    await expectInSync(server.api, managed.site.id);

    const commands = managed.router.control
      .transcript()
      .slice(seen)
      .filter(({ direction }) => direction === "in")
      .map(({ words }) => words[0])
      .filter((command) => /scheduler\/(add|remove)|service\/set|login|safe-mode/.test(command ?? ""));
    const [arm, change, login, disarm] = [
      "/system/scheduler/add",
      "/ip/service/set",
      "/login",
      "/system/scheduler/remove",
    ].map((command) => commands.indexOf(command));
    expect([arm, change, login, disarm]).toEqual(
      [arm, change, login, disarm].toSorted((a, b) => Number(a) - Number(b)),
    );
    expect(commands.includes("/safe-mode/take")).toBe(version === "7.18" || version === "7.24");
    expect(entries(managed)).toEqual([]);
  });

  test("a link that ends with the change: the router undoes it, Portreeve says so and leaves it at that", async ({
    server,
  }) => {
    const managed = await startManagedRouter(server, { version });
    await using router = managed.router;
    const policyId = await ownPolicy(server, managed);
    const before = apiPort(managed);
    const seen = managed.router.control.transcript().length;
    const changes = () =>
      router.control
        .transcript()
        .slice(seen)
        .filter(({ direction, words }) => direction === "in" && words[0] === "/ip/service/set").length;
    // From the change on no new connection comes about, so nobody can prove it.
    router.control.inject({ kind: "refuse", service: "api", times: 1000 });

    await movePort(server, policyId, 18_729);
    await waitFor(() => changes() > 0, { what: "the change" });
    await waitFor(
      async () => {
        await router.control.advanceClock(AFTER_ROLLBACK_TIMER_MS);
        return apiPort(managed) === before && entries(managed).length === 0;
      },
      { what: "the router to undo it" },
    );
    router.control.clear();

    const site = await expectSync(server.api, managed.site.id, "needs_attention", { within: 60_000 });
    expect(site.sync.reason).toMatch(
      /undid the change of the management path by itself|the change of the management path is undone/,
    );
    expect(apiPort(managed)).toBe(before);

    // It is tried again when somebody asks for it.
    expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
    await waitFor(() => apiPort(managed) === 18_729, { what: "the port to move" });
    await expectInSync(server.api, managed.site.id);
    expect(entries(managed)).toEqual([]);
  });
});

test("a router that takes no scheduler entry keeps its management path, and gets everything else", async ({
  server,
}) => {
  const managed = await startManagedRouter(server, { version: "7.20" });
  await using router = managed.router;
  const policyId = await ownPolicy(server, managed);
  const before = apiPort(managed);
  router.control.setDeviceMode("home");
  const body = policyOf({ api: { port: 18_730 }, telnet: { enabled: true, networks: ["127.0.0.0/8"] } });
  expectStatus(await server.api.put(`/v1/control-plane/policies/${policyId}`, body), 200);

  const site = await expectSync(server.api, managed.site.id, "needs_attention");
  expect(site.sync.reason).toContain("takes no scheduler entry");
  expect(apiPort(managed)).toBe(before);
  const telnet = router.control.rows("/ip/service").find(({ name }) => name === "telnet");
  expect(telnet).toMatchObject({ disabled: "false" });
});

test("a rule of somebody else's that would refuse us behind our jump is not walked into", async ({
  server,
}) => {
  const managed = await startManagedRouter(server, { version: "7.16" });
  await using router = managed.router;
  const policyId = await ownPolicy(server, managed);
  const { control } = router;
  // They refuse the port the API is to move to, from everybody, ahead of our rules.
  await control.addRow("/ip/firewall/filter", {
    chain: "input",
    action: "drop",
    protocol: "tcp",
    "dst-port": "18731",
    comment: "legacy",
  });
  const before = apiPort(managed);
  await movePort(server, policyId, 18_731);

  const site = await expectSync(server.api, managed.site.id, "needs_attention");
  expect(site.sync.reason).toContain('"legacy" would refuse Portreeve');
  expect(apiPort(managed)).toBe(before);
  expect(entries(managed)).toEqual([]);
});

test("a server killed between the change and its proof finds the router, and takes the rollback timer away", {
  timeout: 90_000,
}, async () => {
  await using killed = await ServerProcess.prepare();
  killed.start();
  await killed.ready();
  await useBindablePorts(killed.api);
  await using router = await startRouter(killed.net, { version: "7.9" });
  const site = expectStatus(
    await killed.api.post("/v1/sites", {
      name: "killed",
      address: router.address,
      api_port: router.port("api"),
      ...ADMIN,
    }),
    201,
  );
  await expectInSync(killed.api, site.id);
  // The proof is late: the server dies waiting for it.
  router.control.inject({ kind: "delay", command: "/login", ms: 60_000 });
  const policies = expectStatus(await killed.api.get("/v1/control-plane/policies"), 200);
  const body = policyOf({ name: "Default Policy", api: { port: 18_732 } });
  expectStatus(await killed.api.put(`/v1/control-plane/policies/${policies[0].id}`, body), 200);
  await waitFor(() => apiPort({ router }) === 18_732, { what: "the port to move" });
  expect(entries({ router })).toHaveLength(2);
  await killed.kill();
  router.control.clear();

  killed.start();
  await killed.ready();
  await expectInSync(killed.api, site.id, { within: 30_000 });
  expect(apiPort({ router })).toBe(18_732);
  expect(entries({ router })).toEqual([]);
});
