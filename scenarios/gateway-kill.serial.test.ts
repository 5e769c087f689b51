/** A gateway that dies or stands still opens again what is open, and nothing else. */
import { expect, test } from "vitest";
import { SiteAccess } from "./harness/access.ts";
import { startManagedRouter, useBindablePorts, waitFor } from "./harness/index.ts";
import { listeningPorts, ServerProcess } from "./harness/server-process.ts";
import { endIn, openAccesses, Stream } from "./harness/streams.ts";

const OF_EACH = 10;
/** From the kill to the last port that stands again: 5 s alone; a machine that does other work takes longer. */
const REBUILT_WITHIN_MS = 15_000;
/** Bytes that tell a stream's connection at the router from every other. */
const KNOWN_BYTES = 12_345;

async function start() {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await ServerProcess.prepare({ PORTREEVE_LOG_LEVEL: "warn" }));
  server.start();
  await server.ready();
  await useBindablePorts(server.api);
  const managed = await startManagedRouter(server);
  starting.defer(() => managed.router.close());
  const running = starting.move();
  const desk = new SiteAccess(server, managed);
  return { server, desk, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const portsOf = async (server: ServerProcess) =>
  (await listeningPorts(server.gatewayAddress)).filter((port) => port >= 20_000).toSorted();

test("a gateway killed while accesses are opened, revoked and expire has ports for those that are open, and no other", async () => {
  await using world = await start();
  const { server, desk } = world;
  const [open, revoked, expired] = [
    await openAccesses(desk, OF_EACH),
    await openAccesses(desk, OF_EACH),
    await openAccesses(desk, OF_EACH),
  ];
  await endIn(
    server,
    expired.map(({ id }) => id),
    (index) => 0.1 + index * 0.1,
  );
  const revoking = revoked.map((access) => server.api.delete(`${desk.path}/${access.id}`));
  const opening = openAccesses(desk, OF_EACH);
  await Promise.race(revoking); // one is closed, others are under way
  const killedAt = performance.now();
  const killed = await server.signalRole("gateway", "SIGKILL");
  await waitFor(async () => ![undefined, killed].includes(await server.rolePid("gateway")));
  await waitFor(
    async () => {
      const ports = await portsOf(server);
      return open.every(({ port }) => ports.includes(port));
    },
    { within: REBUILT_WITHIN_MS, what: "the ports of open accesses to stand again" },
  );
  console.info(`ports stand again ${(performance.now() - killedAt).toFixed(0)} ms after the kill`);

  // Whoever was told that it could not be closed in time asks again.
  await Promise.all(revoking);
  for (const access of revoked)
    expect((await server.api.delete(`${desk.path}/${access.id}`)).status).toBeLessThan(500);
  const standing = [...open, ...(await opening)];
  const expectedPorts = standing.map(({ port }) => port).toSorted();
  await expect.poll(() => portsOf(server), { timeout: 10_000 }).toEqual(expectedPorts);
  for (const access of [...revoked, ...expired]) await desk.expectOver(access);
  for (const access of standing) await desk.revoke(access);
  for (const access of standing) await desk.expectOver(access);
  expect(await portsOf(server)).toEqual([]);
  expect(desk.userNames().toSorted()).toEqual(["admin", "portreeve-api"]);
}, 120_000);

test("what is sent after the end of an access to a gateway that stands still is never forwarded", async () => {
  await using world = await start();
  const { server, desk } = world;
  const access = await desk.open({ type: "winbox" });
  using stream = await Stream.open(desk, access);
  stream.quiet();
  stream.socket.write(Buffer.alloc(KNOWN_BYTES, "before"));
  const peerOf = () =>
    desk.router.control.peers("winbox").find(({ bytesReceived }) => bytesReceived >= KNOWN_BYTES);
  const peer = await waitFor(peerOf, { within: 30_000, what: "the bytes at the router" });
  const received = peer.bytesReceived;
  const [end = Number.NaN] = await endIn(server, [access.id], () => 2);
  // Until the gateway has it: the ends of accesses reach it in their order.
  const other = await desk.open({ type: "winbox" });
  await endIn(server, [other.id], () => 0.2);
  await desk.event(other, "access.expired");
  expect(performance.now()).toBeLessThan(end);
  const standing = await server.signalRole("gateway", "SIGSTOP");
  try {
    await waitFor(() => performance.now() > end, { within: 5_000, what: "the access to end" });
    stream.socket.write(Buffer.alloc(KNOWN_BYTES, "after"));
  } finally {
    process.kill(standing, "SIGCONT");
  }
  await stream.over;
  await waitFor(() => !peer.open, { what: "the router's side to close" });
  expect(peer.bytesReceived).toBe(received);
  await desk.expectOver(access);
}, 90_000);
