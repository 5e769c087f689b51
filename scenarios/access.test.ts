/** Transient access from end to end: a person's ssh through the gateway to a router, until the access ends. */
import { once } from "node:events";
import { connect } from "node:net";
import { RouterClient } from "@portreeve/routeros";
import { expect } from "vitest";
import type { Opened } from "./harness/access.ts";
import { waitFor } from "./harness/index.ts";
import { sshMissing } from "./harness/openssh.ts";
import { scenario as test } from "./harness/scenario.ts";
import { visit } from "./harness/tcp.ts";

const PRINT_IDENTITY = "/system identity print";
const IDENTITY = "  name: gw1\r\n\r\n";

const withSsh = test.skipIf(sshMissing !== undefined);
const note = sshMissing === undefined ? "" : ` (skipped: ${sshMissing})`;

withSsh(
  `ssh through the gateway reaches the router, and the access and its audit tell of it${note}`,
  async ({ server, ssh, desk }) => {
    const access = await desk.open({ reason: "ticket 42" });
    expect(await ssh.run(desk.throughGateway(access), PRINT_IDENTITY)).toMatchObject({
      code: 0,
      output: IDENTITY,
    });
    const peer = desk.router.control.peers("ssh").at(-1);
    expect(peer).toMatchObject({ address: server.managementAddress, admitted: true });
    const shown = await waitFor(async () => {
      const one = await desk.show(access);
      return one.authorized_at !== null && one;
    });
    expect(shown).toMatchObject({
      allow_only_ip: "127.0.0.1",
      config_removed_from_site: false,
      reason: "ticket 42",
    });
    expect(shown.config_committed_to_site).not.toBeNull();
    expect((await desk.event(access, "access.connected")).detail).toMatchObject({ source: "127.0.0.1" });
    const left = await desk.event(access, "access.disconnected");
    expect(left.detail).toMatchObject({ source: "127.0.0.1", bytesFromRouter: expect.any(Number) });
    expect(Number(left.detail.bytesToRouter)).toBeGreaterThan(0);
    const actions = await desk.actions(access);
    expect(actions).toEqual(expect.arrayContaining(["access.opened", "access.committed"]));
    await desk.revoke(access);
  },
);

test("another source than the one that opened the access gets no byte, and the refusal is audited", async ({
  desk,
}) => {
  const access = await desk.open();
  await desk.event(access, "access.committed");
  const before = desk.router.control.peers("ssh").length;
  const refused = await visit(desk.throughGateway(access), "127.0.0.2", "SSH-2.0-probe\r\n");
  expect(refused.received).toHaveLength(0);
  expect((await desk.event(access, "access.refused")).detail).toMatchObject({
    source: "127.0.0.2",
    reason: "source",
  });
  expect(desk.router.control.peers("ssh")).toHaveLength(before);
  expect((await desk.show(access)).authorized_at).toBeNull();
  await desk.revoke(access);
});

withSsh(`ssh from another source than the one that opened the access fails${note}`, async ({ ssh, desk }) => {
  const access = await desk.open();
  expect((await ssh.run({ ...desk.throughGateway(access), from: "127.0.0.2" }, PRINT_IDENTITY)).code).toBe(
    255,
  );
  expect((await ssh.run(desk.throughGateway(access), PRINT_IDENTITY)).code).toBe(0);
  await desk.revoke(access);
});

test("a network given as source admits its addresses and no other", async ({ desk }) => {
  const access = await desk.open({ type: "winbox", allow_only_cidr: "127.0.0.4/31" });
  await desk.event(access, "access.committed");
  expect((await desk.show(access)).allow_only_ip).toBeNull();
  for (const from of ["127.0.0.6", "127.0.0.1"]) {
    expect((await visit(desk.throughGateway(access), from, "x")).received).toHaveLength(0);
    const isTold = async () => (await desk.events(access)).some(({ detail }) => detail.source === from);
    await waitFor(isTold, { what: `the refusal of ${from}` });
  }
  const socket = connect({ ...desk.throughGateway(access), localAddress: "127.0.0.5" });
  await once(socket, "connect");
  socket.write("hello");
  await desk.event(access, "access.connected");
  socket.destroy();
  await desk.revoke(access);
});

test("access from the whole internet must be spelt out, is warned about and audited", async ({ desk }) => {
  const access = await desk.open({ allow_only_cidr: "0.0.0.0/0" });
  expect(access.warnings).toEqual([expect.stringContaining("whole internet")]);
  expect((await desk.event(access, "access.opened")).detail).toMatchObject({ whole_internet: true });
  await desk.revoke(access);
});

withSsh(`the login of an open access is good through the gateway only${note}`, async ({ ssh, desk }) => {
  const access = await desk.open();
  expect((await ssh.run(desk.throughGateway(access), PRINT_IDENTITY)).code).toBe(0);
  expect(await ssh.run({ ...desk.atRouter(access), from: "127.0.0.1" }, PRINT_IDENTITY)).toMatchObject({
    code: 255,
  });
  await desk.revoke(access);
});

test("a read-only access can change nothing on the router, a full one can", async ({ server, desk }) => {
  const readOnly = await desk.open({ full_access: false });
  const full = await desk.open({ full_access: true });
  await desk.event(readOnly, "access.committed");
  await desk.event(full, "access.committed");
  const group = desk.router.control.rows("/user/group").find(({ name }) => name === "portreeve-read");
  const granted = group?.policy?.split(",").filter((word) => !word.startsWith("!"));
  expect(granted?.toSorted()).toEqual(["read", "ssh", "winbox"]);
  const login = ({ username, password }: Opened) => ({
    host: desk.router.address,
    port: desk.router.port("api"),
    localAddress: server.managementAddress,
    username,
    password,
  });
  await expect(RouterClient.connect(login(readOnly))).rejects.toThrow("not allowed");
  await using client = await RouterClient.connect(login(full));
  await client.set("/system/identity", undefined, { name: "gw1" });
  await desk.revoke(readOnly);
  await desk.revoke(full);
});

withSsh(
  `of two accesses at once, ending one leaves the other's session alone${note}`,
  async ({ ssh, desk }) => {
    const [first, second] = [await desk.open(), await desk.open()];
    expect(first.port).not.toBe(second.port);
    await using one = ssh.open(desk.throughGateway(first));
    await using other = ssh.open(desk.throughGateway(second));
    for (const console of [one, other]) await console.prompt;
    expect(
      await ssh.run({ ...desk.throughGateway(second), username: first.username }, PRINT_IDENTITY),
    ).toMatchObject({
      code: 255,
    });
    await desk.revoke(first);
    await one.ended;
    await desk.expectOver(first);
    other.type(PRINT_IDENTITY);
    await waitFor(() => other.output().includes("name: gw1"), { what: "the other session's answer" });
    await desk.revoke(second);
    await other.ended;
    await desk.expectOver(second);
  },
);
