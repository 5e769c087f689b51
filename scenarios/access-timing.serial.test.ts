/** How soon a person's access is over: revoked, expired, its site off-boarded. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "vitest";
import { SiteAccess } from "./harness/access.ts";
import { expectNothingPlanned, expectStatus, startManagedRouter, waitFor } from "./harness/index.ts";
import { sshMissing } from "./harness/openssh.ts";
import { scenario as test } from "./harness/scenario.ts";

/** An access that is over stops every byte within this time, milliseconds. */
const CLOSED_WITHIN_MS = 1_000;
/** Off-boarding ends every session within this time, milliseconds. */
const OFF_BOARDED_WITHIN_MS = 2_000;
const PRINT_IDENTITY = "/system identity print";

const withSsh = test.skipIf(sshMissing !== undefined);
const note = sshMissing === undefined ? "" : ` (skipped: ${sshMissing})`;

withSsh(
  `revoking ends the open session within a second, at the gateway and on the router${note}`,
  async ({ server, ssh, desk }) => {
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
    await expectNothingPlanned(server.api, desk.site.id);
  },
);

withSsh(`expiry does what revoking does, by the database's clock${note}`, async ({ server, ssh, desk }) => {
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

test("WinBox access carries the bytes to the router's WinBox port", async ({ server, desk }) => {
  const access = await desk.open({ type: "winbox" });
  const socket = connect({ ...desk.throughGateway(access), localAddress: "127.0.0.1" });
  await once(socket, "connect");
  socket.on("error", () => undefined);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  const bytes = Buffer.alloc(300_000, "winbox");
  socket.write(bytes);
  const peer = await waitFor(() =>
    desk.router.control.peers("winbox").find((one) => one.bytesReceived === bytes.length),
  );
  expect(peer).toMatchObject({ address: server.managementAddress, admitted: true, open: true });
  const asked = performance.now();
  await desk.revoke(access);
  await ended;
  expect(performance.now() - asked).toBeLessThan(CLOSED_WITHIN_MS);
  await waitFor(() => !peer.open, { within: CLOSED_WITHIN_MS, what: "the router's side to close" });
  await desk.expectOver(access);
});

withSsh(`off-boarding a site ends its open sessions${note}`, async ({ server, ssh }) => {
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
