/** Transient access and what happens to its site meanwhile: its policy changes, its router goes away, it ends. */
import { expect } from "vitest";
import { accessInput, SiteAccess } from "./harness/access.ts";
import {
  createPolicy,
  expectInSync,
  expectProblem,
  expectStatus,
  PORTS,
  policyOf,
  startManagedRouter,
  waitFor,
} from "./harness/index.ts";
import { sshMissing } from "./harness/openssh.ts";
import { scenario as test } from "./harness/scenario.ts";

const PRINT_IDENTITY = "/system identity print";

const withSsh = test.skipIf(sshMissing !== undefined);
const note = sshMissing === undefined ? "" : ` (skipped: ${sshMissing})`;

test("access by a service that the site's policy closes is refused", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const desk = new SiteAccess(server, managed);
  const policy = await createPolicy(server.api, { ssh: { enabled: false } });
  const path = `/v1/control-plane/policies/${policy.id}/sites`;
  expectStatus(await server.api.put(path, { sites: [managed.site.id] }), 200);
  expectProblem(await server.api.post(desk.path, accessInput()), 409, "service-closed");
  await desk.open({ type: "winbox" });
});

withSsh(
  `a policy that moves the ssh port moves where an open access leads${note}`,
  async ({ server, ssh }) => {
    const managed = await startManagedRouter(server, { identity: "moved" });
    await using _router = managed.router;
    const desk = new SiteAccess(server, managed);
    const policy = await createPolicy(server.api);
    const path = `/v1/control-plane/policies/${policy.id}`;
    expectStatus(await server.api.put(`${path}/sites`, { sites: [managed.site.id] }), 200);
    const access = await desk.open();
    expect((await ssh.run(desk.throughGateway(access), PRINT_IDENTITY)).output).toContain("moved");
    expectStatus(await server.api.put(path, policyOf({ ssh: { port: PORTS.ssh + 1 } })), 200);
    await expectInSync(server.api, managed.site.id);
    expect(managed.router.port("ssh")).toBe(PORTS.ssh + 1);
    expect((await ssh.run(desk.throughGateway(access), PRINT_IDENTITY)).output).toContain("moved");
  },
);

test("what an unreachable router still has is told as it is, and removed when the router is back", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const desk = new SiteAccess(server, managed);
  const access = await desk.open();
  await waitFor(async () => (await desk.show(access)).config_committed_to_site !== null);
  await managed.router.control.powerOff();
  await desk.revoke(access);
  await waitFor(async () => (await desk.show(access)).config_removed_from_mpac, {
    what: "the gateway to close",
  });
  expect(await desk.show(access)).toMatchObject({ config_removed_from_site: false, revoked_early: true });
  await managed.router.control.powerOn();
  expect(desk.userNames()).toContain(access.username);
  expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
  await waitFor(async () => (await desk.show(access)).config_removed_from_site, { what: "the user to go" });
  expect(desk.userNames()).not.toContain(access.username);
});

test("an access opened while the router is away is committed when it is back, and not said to be before", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const desk = new SiteAccess(server, managed);
  await managed.router.control.powerOff();
  const access = await desk.open();
  await waitFor(async () => (await server.api.get(`/v1/sites/${managed.site.id}`)).body.status === "offline");
  expect(await desk.show(access)).toMatchObject({ config_committed_to_site: null, authorized_at: null });
  await managed.router.control.powerOn();
  expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
  await waitFor(async () => (await desk.show(access)).config_committed_to_site !== null);
});
