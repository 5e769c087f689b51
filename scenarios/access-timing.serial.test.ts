/** How soon a person's access is over: revoked, expired, its site off-boarded. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Emulator } from "@portreeve/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SiteAccess } from "./harness/access.ts";
import {
  expectNothingPlanned,
  expectStatus,
  type ManagedRouter,
  startManagedRouter,
  startTestServer,
  type TestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { OpenSsh, sshMissing } from "./harness/openssh.ts";

/** An access that is over stops every byte within this time, milliseconds. */
const CLOSED_WITHIN_MS = 1_000;
/** Off-boarding ends every session within this time, milliseconds. */
const OFF_BOARDED_WITHIN_MS = 2_000;
const PRINT_IDENTITY = "/system identity print";

let server: TestServer;
let ssh: OpenSsh;
let router: Emulator;
let site: ManagedRouter["site"];
let desk: SiteAccess;

beforeAll(async () => {
  server = await startTestServer();
  ssh = await OpenSsh.prepare();
  await useBindablePorts(server.api);
  const managed = await startManagedRouter(server, { identity: "gw1" });
  ({ router, site } = managed);
  desk = new SiteAccess(server, managed);
});

afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  await router?.close();
  await server?.[Symbol.asyncDispose]();
});

const withSsh = test.skipIf(sshMissing !== undefined);
const note = sshMissing === undefined ? "" : ` (skipped: ${sshMissing})`;

withSsh(
  `revoking ends the open session within a second, at the gateway and on the router${note}`,
  async () => {
    const access = await desk.open();
    const target = desk.throughGateway(access);
    await using console = ssh.open(target);
    await console.prompt;
    console.type(PRINT_IDENTITY);
    await waitFor(() => console.output().includes("name: gw1"), { what: "the answer" });
    const asked = performance.now();
    await desk.revoke(access);
    expect((await console.ended).at - asked).toBeLessThan(CLOSED_WITHIN_MS);
    expect(await ssh.run(target, PRINT_IDENTITY)).toMatchObject({ code: 255, output: "" });
    await desk.expectOver(access);
    const direct = await ssh.run(desk.atRouter(access), PRINT_IDENTITY);
    expect(direct).toMatchObject({ code: 255, output: "" });
    expect(direct.errors).toContain("Permission denied");
    expect(await desk.show(access)).toMatchObject({ revoked_early: true, expired: false });
    const actions = await desk.actions(access);
    expect(actions).toEqual(
      expect.arrayContaining(["access.revoked", "access.closed", "access.removed_from_site"]),
    );
    await expectNothingPlanned(server.api, site.id);
  },
);

withSsh(`expiry does what revoking does, by the database's clock${note}`, async () => {
  const access = await desk.open();
  await using console = ssh.open(desk.throughGateway(access));
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
  await desk.expectOver(access);
  expect(await ssh.run(desk.atRouter(access), PRINT_IDENTITY)).toMatchObject({ code: 255, output: "" });
  expect(await desk.show(access)).toMatchObject({ revoked_early: false, expired: true });
  const actions = await desk.actions(access);
  expect(actions).toEqual(expect.arrayContaining(["access.expired", "access.removed_from_site"]));
  expect(actions).not.toContain("access.revoked");
});

test("WinBox access carries the bytes to the router's WinBox port", async () => {
  const access = await desk.open({ type: "winbox" });
  const socket = connect({ ...desk.throughGateway(access), localAddress: "127.0.0.1" });
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
  await desk.revoke(access);
  await ended;
  expect(performance.now() - asked).toBeLessThan(CLOSED_WITHIN_MS);
  await waitFor(() => !peer.open, { within: CLOSED_WITHIN_MS, what: "the router's side to close" });
  await desk.expectOver(access);
});

withSsh(`off-boarding a site ends its open sessions${note}`, async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const desk = new SiteAccess(server, managed);
  const access = await desk.open();
  await using console = ssh.open(desk.throughGateway(access));
  await console.prompt;
  const asked = performance.now();
  expectStatus(await server.api.delete(`/v1/sites/${managed.site.id}`), 202);
  expect((await console.ended).at - asked).toBeLessThan(OFF_BOARDED_WITHIN_MS);
  await waitFor(async () => (await server.api.get(`/v1/sites/${managed.site.id}`)).status === 404);
  expect(desk.userNames()).not.toContain(access.username);
});
