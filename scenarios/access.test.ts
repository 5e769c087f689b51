/** Transient access from end to end: a person's ssh through the gateway to a router, until the door closes. */
import { once } from "node:events";
import { connect } from "node:net";
import type { AuditEvent, TransientAccess } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createPolicy,
  expectInSync,
  expectNothingPlanned,
  expectProblem,
  expectStatus,
  type ManagedRouter,
  PORTS,
  policyOf,
  startManagedRouter,
  startTestServer,
  type TestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { OpenSsh, sshMissing } from "./harness/openssh.ts";
import { visit } from "./harness/tcp.ts";

/** A closed door stops every byte within this time, milliseconds. */
const CLOSED_WITHIN_MS = 1_000;
const PRINT_IDENTITY = "/system identity print";
const IDENTITY = "  name: gw1\r\n\r\n";

let server: TestServer;
let ssh: OpenSsh;
let router: Emulator;
let site: ManagedRouter["site"];

beforeAll(async () => {
  server = await startTestServer();
  ssh = await OpenSsh.prepare();
  await useBindablePorts(server.api);
  ({ router, site } = await startManagedRouter(server, { identity: "gw1" }));
});

afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  await router?.close();
  await server?.[Symbol.asyncDispose]();
});

const withSsh = test.skipIf(sshMissing !== undefined);
const note = sshMissing === undefined ? "" : ` (skipped: ${sshMissing})`;

interface Opened extends TransientAccess {
  readonly password: string;
}

function pathOf(access?: { id: string }, siteId = site.id): string {
  return `/v1/control-plane/${siteId}/transient-access${access ? `/${access.id}` : ""}`;
}

async function openAccess(change: Record<string, unknown> = {}, siteId = site.id): Promise<Opened> {
  const input = {
    expire_after_minutes: 10,
    type: "ssh",
    full_access: false,
    allow_rfc1918: false,
    ...change,
  };
  return expectStatus(await server.api.post(pathOf(undefined, siteId), input), 201);
}

async function show(access: Opened): Promise<TransientAccess> {
  return expectStatus(await server.api.get(pathOf(access)), 200);
}

async function revoke(access: Opened): Promise<void> {
  expectStatus(await server.api.delete(pathOf(access)), 204);
}

/** How the person who was given the access comes in. */
function throughGateway(access: Opened) {
  return {
    host: server.gatewayAddress,
    port: access.port,
    username: access.username,
    password: access.password,
  };
}

/** The same login at the router itself, from the one address it takes the login from. */
function atRouter(access: Opened) {
  return {
    ...throughGateway(access),
    host: router.address,
    port: router.port("ssh"),
    from: server.managementAddress,
  };
}

async function events(access: Opened): Promise<AuditEvent[]> {
  const { data } = expectStatus(await server.api.get(`/v1/audit?site_id=${site.id}&limit=200`), 200);
  return data.filter((event: AuditEvent) => event.subject_id === access.id).toReversed();
}

/** Wait for an event of this access. */
function event(access: Opened, action: string): Promise<AuditEvent> {
  return waitFor(async () => (await events(access)).find((one) => one.action === action), { what: action });
}

/** The access is over: the port, the login and the router's user are gone, and the answer says so. */
async function expectOver(access: Opened): Promise<void> {
  const over = await waitFor(
    async () => {
      const shown = await show(access);
      return shown.config_removed_from_mpac && shown.config_removed_from_site && shown;
    },
    { what: "the access to be removed everywhere" },
  );
  expect(over.password).toBeNull();
  expect(await visit({ host: server.gatewayAddress, port: access.port }, "127.0.0.1")).toMatchObject({
    error: "ECONNREFUSED",
  });
  expect(router.control.rows("/user").map(({ name }) => name)).not.toContain(access.username);
  expect(router.control.wouldAuthenticate(access.username, access.password, server.managementAddress)).toBe(
    false,
  );
  await waitFor(() => router.control.sessions().every(({ username }) => username !== access.username));
}

withSsh(
  `ssh through the gateway reaches the router, and the access and its audit tell of it${note}`,
  async () => {
    const access = await openAccess({ reason: "ticket 42" });
    expect(await ssh.run(throughGateway(access), PRINT_IDENTITY)).toMatchObject({
      code: 0,
      output: IDENTITY,
    });
    const peer = router.control.peers("ssh").at(-1);
    expect(peer).toMatchObject({ address: server.managementAddress, admitted: true });
    const shown = await waitFor(async () => {
      const one = await show(access);
      return one.authorized_at !== null && one;
    });
    expect(shown).toMatchObject({
      allow_only_ip: "127.0.0.1",
      config_removed_from_site: false,
      reason: "ticket 42",
    });
    expect(shown.config_committed_to_site).not.toBeNull();
    expect((await event(access, "access.connected")).detail).toMatchObject({ source: "127.0.0.1" });
    const left = await event(access, "access.disconnected");
    expect(left.detail).toMatchObject({ source: "127.0.0.1", bytesFromRouter: expect.any(Number) });
    expect(Number(left.detail.bytesToRouter)).toBeGreaterThan(0);
    const actions = (await events(access)).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(["access.opened", "access.committed"]));
    await revoke(access);
  },
);

test("another source than the one that opened the access gets no byte, and the refusal is audited", async () => {
  const access = await openAccess();
  await event(access, "access.committed");
  const before = router.control.peers("ssh").length;
  const refused = await visit(throughGateway(access), "127.0.0.2", "SSH-2.0-probe\r\n");
  expect(refused.received).toHaveLength(0);
  expect((await event(access, "access.refused")).detail).toMatchObject({
    source: "127.0.0.2",
    reason: "source",
  });
  expect(router.control.peers("ssh")).toHaveLength(before);
  expect((await show(access)).authorized_at).toBeNull();
  await revoke(access);
});

withSsh(`ssh from another source than the one that opened the access fails${note}`, async () => {
  const access = await openAccess();
  expect((await ssh.run({ ...throughGateway(access), from: "127.0.0.2" }, PRINT_IDENTITY)).code).toBe(255);
  expect((await ssh.run(throughGateway(access), PRINT_IDENTITY)).code).toBe(0);
  await revoke(access);
});

test("a network given as source admits its addresses and no other", async () => {
  const access = await openAccess({ type: "winbox", allow_only_cidr: "127.0.0.4/31" });
  await event(access, "access.committed");
  expect((await show(access)).allow_only_ip).toBeNull();
  for (const [from, reason] of [
    ["127.0.0.6", "source"],
    ["127.0.0.1", "source"],
  ]) {
    expect((await visit(throughGateway(access), from as string, "x")).received).toHaveLength(0);
    await waitFor(async () =>
      (await events(access)).some(({ detail }) => detail.source === from && detail.reason === reason),
    );
  }
  const socket = connect({ ...throughGateway(access), localAddress: "127.0.0.5" });
  await once(socket, "connect");
  socket.write("hello");
  await event(access, "access.connected");
  socket.destroy();
  await revoke(access);
});

test("access from the whole internet must be spelt out, is warned about and audited", async () => {
  const access = await openAccess({ allow_only_cidr: "0.0.0.0/0" });
  expect(access.warnings).toEqual([expect.stringContaining("whole internet")]);
  expect((await event(access, "access.opened")).detail).toMatchObject({ whole_internet: true });
  await revoke(access);
});

withSsh(
  `revoking ends the open session within a second, at the gateway and on the router${note}`,
  async () => {
    const access = await openAccess();
    const target = throughGateway(access);
    await using console = ssh.open(target);
    await console.prompt;
    console.type(PRINT_IDENTITY);
    await waitFor(() => console.output().includes("name: gw1"), { what: "the answer" });
    const asked = performance.now();
    await revoke(access);
    expect((await console.ended).at - asked).toBeLessThan(CLOSED_WITHIN_MS);
    expect(await ssh.run(target, PRINT_IDENTITY)).toMatchObject({ code: 255, output: "" });
    await expectOver(access);
    const direct = await ssh.run(atRouter(access), PRINT_IDENTITY);
    expect(direct).toMatchObject({ code: 255, output: "" });
    expect(direct.errors).toContain("Permission denied");
    expect(await show(access)).toMatchObject({ revoked_early: true, expired: false });
    const actions = (await events(access)).map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining(["access.revoked", "access.closed", "access.removed_from_site"]),
    );
    await expectNothingPlanned(server.api, site.id);
  },
);

withSsh(`expiry does what revoking does, by the database's clock${note}`, async () => {
  const access = await openAccess();
  await using console = ssh.open(throughGateway(access));
  await console.prompt;
  const [row] = await server.sql(
    `update transient_access set expires_at = now() + interval '1200 ms' where id = $1
     returning extract(epoch from expires_at - clock_timestamp()) * 1000 as left_ms`,
    [access.id],
  );
  const expiry = performance.now() + Number(row?.left_ms);
  await server.sql("select pg_notify('portreeve_access', $1)", [access.id]);
  const { at } = await console.ended;
  expect(at).toBeGreaterThan(expiry - 50);
  expect(at).toBeLessThan(expiry + CLOSED_WITHIN_MS);
  await expectOver(access);
  expect(await ssh.run(atRouter(access), PRINT_IDENTITY)).toMatchObject({ code: 255, output: "" });
  expect(await show(access)).toMatchObject({ revoked_early: false, expired: true });
  const actions = (await events(access)).map(({ action }) => action);
  expect(actions).toEqual(expect.arrayContaining(["access.expired", "access.removed_from_site"]));
  expect(actions).not.toContain("access.revoked");
});

withSsh(`the login of an open access is good through the gateway only${note}`, async () => {
  const access = await openAccess();
  expect((await ssh.run(throughGateway(access), PRINT_IDENTITY)).code).toBe(0);
  expect(await ssh.run({ ...atRouter(access), from: "127.0.0.1" }, PRINT_IDENTITY)).toMatchObject({
    code: 255,
  });
  await revoke(access);
});

test("a read-only access can change nothing on the router, a full one can", async () => {
  const readOnly = await openAccess({ full_access: false });
  const full = await openAccess({ full_access: true });
  await event(readOnly, "access.committed");
  await event(full, "access.committed");
  const group = router.control.rows("/user/group").find(({ name }) => name === "portreeve-read");
  const granted = group?.policy?.split(",").filter((word) => !word.startsWith("!"));
  expect(granted?.toSorted()).toEqual(["read", "ssh", "winbox"]);
  const login = ({ username, password }: Opened) => ({
    host: router.address,
    port: router.port("api"),
    localAddress: server.managementAddress,
    username,
    password,
  });
  await expect(RouterClient.connect(login(readOnly))).rejects.toThrow("not allowed");
  await using client = await RouterClient.connect(login(full));
  await client.set("/system/identity", undefined, { name: "gw1" });
  await revoke(readOnly);
  await revoke(full);
});

test("WinBox access carries the bytes to the router's WinBox port", async () => {
  const access = await openAccess({ type: "winbox" });
  const socket = connect({ ...throughGateway(access), localAddress: "127.0.0.1" });
  await once(socket, "connect");
  socket.on("error", () => undefined);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  const bytes = Buffer.alloc(300_000, "winbox");
  socket.write(bytes);
  const peer = await waitFor(() =>
    router.control.peers("winbox").find((one) => one.bytesReceived === bytes.length),
  );
  expect(peer).toMatchObject({ address: server.managementAddress, admitted: true, open: true });
  const asked = performance.now();
  await revoke(access);
  await ended;
  expect(performance.now() - asked).toBeLessThan(CLOSED_WITHIN_MS);
  await waitFor(() => !peer.open, { within: CLOSED_WITHIN_MS, what: "the router's side to close" });
  await expectOver(access);
});

withSsh(`of two accesses at once, ending one leaves the other's session alone${note}`, async () => {
  const [first, second] = [await openAccess(), await openAccess()];
  expect(first.port).not.toBe(second.port);
  await using one = ssh.open(throughGateway(first));
  await using other = ssh.open(throughGateway(second));
  for (const console of [one, other]) await console.prompt;
  expect(
    await ssh.run({ ...throughGateway(second), username: first.username }, PRINT_IDENTITY),
  ).toMatchObject({
    code: 255,
  });
  await revoke(first);
  await one.ended;
  await expectOver(first);
  other.type(PRINT_IDENTITY);
  await waitFor(() => other.output().includes("name: gw1"), { what: "the other session's answer" });
  await revoke(second);
  await other.ended;
  await expectOver(second);
});

test("access by a service that the site's policy closes is refused", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const policy = await createPolicy(server.api, { ssh: { enabled: false } });
  const path = `/v1/control-plane/policies/${policy.id}/sites`;
  expectStatus(await server.api.put(path, { sites: [managed.site.id] }), 200);
  const input = { expire_after_minutes: 10, type: "ssh", full_access: false, allow_rfc1918: false };
  const refused = await server.api.post(pathOf(undefined, managed.site.id), input);
  expectProblem(refused, 409, "service-closed");
  await openAccess({ type: "winbox" }, managed.site.id);
});

withSsh(`a policy that moves the ssh port moves where an open access leads${note}`, async () => {
  const managed = await startManagedRouter(server, { identity: "moved" });
  await using _router = managed.router;
  const policy = await createPolicy(server.api);
  const path = `/v1/control-plane/policies/${policy.id}`;
  expectStatus(await server.api.put(`${path}/sites`, { sites: [managed.site.id] }), 200);
  const access = await openAccess({}, managed.site.id);
  expect((await ssh.run(throughGateway(access), PRINT_IDENTITY)).output).toContain("moved");
  expectStatus(await server.api.put(path, policyOf({ ssh: { port: PORTS.ssh + 1 } })), 200);
  await expectInSync(server.api, managed.site.id);
  expect(managed.router.port("ssh")).toBe(PORTS.ssh + 1);
  expect((await ssh.run(throughGateway(access), PRINT_IDENTITY)).output).toContain("moved");
});

test("what an unreachable router still has is told as it is, and removed when the router is back", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const access = await openAccess({}, managed.site.id);
  const shown = () =>
    server.api.get(pathOf(access, managed.site.id)).then(({ body }) => body as TransientAccess);
  await waitFor(async () => (await shown()).config_committed_to_site !== null);
  await managed.router.control.powerOff();
  expectStatus(await server.api.delete(pathOf(access, managed.site.id)), 204);
  await waitFor(async () => (await shown()).config_removed_from_mpac, { what: "the gateway to close" });
  expect(await shown()).toMatchObject({ config_removed_from_site: false, revoked_early: true });
  await managed.router.control.powerOn();
  expect(managed.router.control.rows("/user").map(({ name }) => name)).toContain(access.username);
  expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
  await waitFor(async () => (await shown()).config_removed_from_site, { what: "the user to go" });
  expect(managed.router.control.rows("/user").map(({ name }) => name)).not.toContain(access.username);
});

test("an access opened while the router is away is committed when it is back, and not said to be before", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  await managed.router.control.powerOff();
  const access = await openAccess({}, managed.site.id);
  const shown = () =>
    server.api.get(pathOf(access, managed.site.id)).then(({ body }) => body as TransientAccess);
  await waitFor(async () => (await server.api.get(`/v1/sites/${managed.site.id}`)).body.status === "offline");
  expect(await shown()).toMatchObject({ config_committed_to_site: null, authorized_at: null });
  await managed.router.control.powerOn();
  expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
  await waitFor(async () => (await shown()).config_committed_to_site);
});

withSsh(`off-boarding a site ends its open sessions${note}`, async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const access = await openAccess({}, managed.site.id);
  await using console = ssh.open(throughGateway(access));
  await console.prompt;
  const asked = performance.now();
  expectStatus(await server.api.delete(`/v1/sites/${managed.site.id}`), 202);
  expect((await console.ended).at - asked).toBeLessThan(2 * CLOSED_WITHIN_MS);
  await waitFor(async () => (await server.api.get(`/v1/sites/${managed.site.id}`)).status === 404);
  expect(managed.router.control.rows("/user").map(({ name }) => name)).not.toContain(access.username);
});
