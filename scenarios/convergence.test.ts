/** Routers arrive at what was asked for last, whatever order things happen in and whatever others change. */
import { randomUUID } from "node:crypto";
import type { Policy } from "@portreeve/api-schema";
import { expect } from "vitest";
import {
  ADMIN,
  adopt,
  createPolicy,
  expectInSync,
  expectStatus,
  expectSync,
  type ManagedRouter,
  PORTS,
  policyOf,
  startManagedRouter,
  startRouter,
  type TestServer,
  waitFor,
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

test("of fifty changes at once the one answered last is what the router has", async ({ server }) => {
  const { router, site, path } = await underOwnPolicy(server);
  await using _router = router;
  const changes = Array.from({ length: 50 }, async (_, number) => {
    expectStatus(await server.api.put(path, policyOf({ winbox: { port: 9000 + number } })), 200);
  });
  await Promise.all(changes);
  await expectInSync(server.api, site.id);
  const policy: Policy = expectStatus(await server.api.get(path), 200);
  expect(router.port("winbox")).toBe(policy.winbox.port);
});

test("fifty requests with one Idempotency-Key open one access and are all answered with it", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const path = `/v1/control-plane/${managed.site.id}/transient-access`;
  const body = { expire_after_minutes: 5, type: "ssh", full_access: false, allow_rfc1918: false };
  const headers = { "idempotency-key": randomUUID() };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => server.api.post(path, body, { headers })),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(expectStatus(await server.api.get(path), 200)).toHaveLength(1);
  await expectInSync(server.api, managed.site.id);
  expect(router.control.rows("/user")).toHaveLength(3);
});

test("a router whose user of ours was removed by hand needs attention, and comes back with a login that is given", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  await router.control.removeRow("/user", "portreeve-api");
  await router.control.reboot();
  const { sync } = await expectSync(server.api, managed.site.id, "needs_attention");
  expect(sync.reason).toMatch(/log-?in/i);
  expectStatus(await server.api.patch(`/v1/sites/${managed.site.id}`, ADMIN), 200);
  await expectInSync(server.api, managed.site.id);
});

test("a router that was reset to the factory's state is adopted again with a login that is given", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  const { address } = managed.router;
  await managed.router.close();
  await expectSync(server.api, managed.site.id, "pending");
  await using _fresh = await startRouter(server.net, { address });
  await expectSync(server.api, managed.site.id, "needs_attention");
  expectStatus(await server.api.patch(`/v1/sites/${managed.site.id}`, ADMIN), 200);
  await expectInSync(server.api, managed.site.id);
});

test("a router whose API was closed by hand is offline with the reason, and repaired once it is open again", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  await router.control.setRow("/ip/service", "api", { disabled: "yes" });
  await router.control.reboot();
  const site = await waitFor(async () => {
    const one = await expectSync(server.api, managed.site.id, "pending");
    return one.sync.reason !== null && one;
  });
  expect(site.status).toBe("offline");
  await router.control.setRow("/ip/service", "api", { disabled: "no", port: String(PORTS.api) });
  expect((await expectInSync(server.api, managed.site.id)).status).toBe("online");
});

test("a site is off-boarded only when its router could be cleaned, or when that is given up by force", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const path = `/v1/sites/${managed.site.id}`;
  await router.control.powerOff();
  expect(expectStatus(await server.api.delete(path), 202).status).toBe("deleting");
  await waitFor(async () => (await server.api.get(path)).body.sync.reason);
  expectStatus(await server.api.delete(`${path}?force=true`), 202);
  expect((await server.api.get(path)).status).toBe(404);
  await router.control.powerOn();
  const [back] = [await adopt(server.api, router)];
  expect(back.id).not.toBe(managed.site.id);
});
