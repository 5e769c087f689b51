/** Services that hand their ports on to each other: no order of single changes leads there, and yet they arrive. */
import type { Policy } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { expect } from "vitest";
import {
  createPolicy,
  expectInSync,
  expectStatus,
  type ManagedRouter,
  PORTS,
  policyOf,
  startManagedRouter,
  type TestServer,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

/** A managed router under a policy of its own. */
async function underOwnPolicy(server: TestServer): Promise<ManagedRouter & { policy: Policy; path: string }> {
  const managed = await startManagedRouter(server);
  const policy = await createPolicy(server.api);
  const path = `/v1/control-plane/policies/${policy.id}`;
  expectStatus(await server.api.put(`${path}/sites`, { sites: [managed.site.id] }), 200);
  await expectInSync(server.api, managed.site.id);
  return { ...managed, policy, path };
}

const ports = (router: Emulator) => ({
  winbox: router.port("winbox"),
  ssh: router.port("ssh"),
  api: router.port("api"),
});

test("two services that swap their ports arrive, though no order of single changes leads there", async ({
  server,
}) => {
  const { router, site, path } = await underOwnPolicy(server);
  await using _router = router;
  const swapped = policyOf({ winbox: { port: PORTS.ssh }, ssh: { port: PORTS.winbox } });
  expectStatus(await server.api.put(path, swapped), 200);
  await expectInSync(server.api, site.id);
  expect(ports(router)).toEqual({ winbox: PORTS.ssh, ssh: PORTS.winbox, api: PORTS.api });
});

test("the management path swaps its port with another service and is found again", async ({ server }) => {
  const { router, site, path } = await underOwnPolicy(server);
  await using _router = router;
  const swapped = policyOf({ winbox: { port: PORTS.api }, api: { port: PORTS.winbox } });
  expectStatus(await server.api.put(path, swapped), 200);
  await expectInSync(server.api, site.id);
  expect(ports(router)).toEqual({ winbox: PORTS.api, ssh: PORTS.ssh, api: PORTS.winbox });
});

test("a service takes the port that the management path gives up", async ({ server }) => {
  const { router, site, path } = await underOwnPolicy(server);
  await using _router = router;
  const moved = policyOf({ winbox: { port: PORTS.api }, api: { port: 8740 } });
  expectStatus(await server.api.put(path, moved), 200);
  await expectInSync(server.api, site.id);
  expect(ports(router)).toEqual({ winbox: PORTS.api, ssh: PORTS.ssh, api: 8740 });
});

test("the management path takes the port that a service gives up", async ({ server }) => {
  const { router, site, path } = await underOwnPolicy(server);
  await using _router = router;
  const moved = policyOf({ winbox: { port: 8299 }, api: { port: PORTS.winbox } });
  expectStatus(await server.api.put(path, moved), 200);
  await expectInSync(server.api, site.id);
  expect(ports(router)).toEqual({ winbox: 8299, ssh: PORTS.ssh, api: PORTS.winbox });
});

test("three services that hand their ports on in a ring arrive", async ({ server }) => {
  const { router, site, path } = await underOwnPolicy(server);
  await using _router = router;
  const ring = policyOf({
    winbox: { port: PORTS.ssh },
    ssh: { port: PORTS.api },
    api: { port: PORTS.winbox },
  });
  expectStatus(await server.api.put(path, ring), 200);
  await expectInSync(server.api, site.id);
  expect(ports(router)).toEqual({ winbox: PORTS.ssh, ssh: PORTS.api, api: PORTS.winbox });
});
