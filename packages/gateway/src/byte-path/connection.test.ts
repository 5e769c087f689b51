import { waitFor } from "@portreeve/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Gateway, type GatewayOptions } from "./gateway.ts";
import {
  closedPort,
  listenerTo,
  silentLog,
  startTarget,
  startUnansweringTarget,
  TestClient,
} from "./test-sockets.ts";

/** Long enough never to pass in a test. */
const NEVER = 600_000;
let gateway: Gateway;

function startGateway(limits: GatewayOptions["limits"]): void {
  const patient = { readyMs: NEVER, connectMs: NEVER, firstByteMs: NEVER, idleMs: NEVER, lingerMs: NEVER };
  gateway = new Gateway({ listenAddress: "127.0.0.1", limits: { ...patient, ...limits }, log: silentLog });
}

function dial(differs: { localAddress?: string } = {}): TestClient {
  return new TestClient({ port: gateway.listeners()[0]?.port ?? 0, ...differs }).reading();
}

beforeEach(() => startGateway({}));
afterEach(() => gateway.shutdown());

test("a connection waits, unread the grant is ready, and then loses nothing", async () => {
  await using target = await startTarget();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { listener, accepted } = listenerTo(target, { ready: () => promise });
  await gateway.open(listener);
  using client = dial();
  client.socket.write("said early");
  await waitFor(() => gateway.listeners()[0]?.connections === 1 && client.socket.writableLength === 0);
  expect(accepted).toEqual([]);
  expect(target.sockets).toEqual([]);
  resolve();
  await waitFor(() => client.received.toString() === "said early");
  expect(accepted).toEqual(["127.0.0.1"]);
});

test.each<[string, () => Promise<void>]>([
  ["rejects", () => Promise.reject(new Error("revoked"))],
  ["never settles", () => new Promise(() => {})],
  [
    "throws",
    () => {
      throw new Error("no such grant");
    },
  ],
])("a connection whose ready %s ends cleanly, and the router never sees it", async (_, ready) => {
  startGateway({ readyMs: 50 });
  await using target = await startTarget();
  const { listener, accepted, refused, closed } = listenerTo(target, { ready });
  await gateway.open(listener);
  using client = dial();
  client.socket.write("SSH-2.0-client\r\n");
  await waitFor(() => client.ended);
  client.socket.end();
  await waitFor(() => client.closed);
  expect(client.error).toBeUndefined();
  expect(client.received.length).toBe(0);
  await waitFor(() => refused.length === 1);
  expect(refused).toEqual([["127.0.0.1", "not_ready"]]);
  expect([...target.sockets, ...accepted, ...closed]).toEqual([]);
});

test("a refused client that does not close its side is cut after the linger time", async () => {
  startGateway({ lingerMs: 50 });
  await using target = await startTarget();
  const { listener } = listenerTo(target, { ready: () => Promise.reject(new Error("revoked")) });
  await gateway.open(listener);
  using client = dial();
  await waitFor(() => client.ended);
  await waitFor(() => gateway.listeners()[0]?.connections === 0);
  client.socket.write("x");
  await waitFor(() => client.closed);
});

test("a router that refuses the connection ends the client's cleanly", async () => {
  const { listener, closed } = listenerTo({ host: "127.0.0.1", port: await closedPort() });
  await gateway.open(listener);
  using client = dial();
  client.socket.write("SSH-2.0-client\r\n");
  await waitFor(() => client.ended);
  client.socket.end();
  await waitFor(() => client.closed && closed.length === 1);
  expect(client.error).toBeUndefined();
  expect(closed).toMatchObject([{ reason: "router_unreachable", bytesToRouter: 0 }]);
});

test.each([
  ["an address this host has not", { localAddress: "192.0.2.1" }],
  ["no address", { localAddress: "nowhere" }],
  ["a name that does not resolve", { host: "router.invalid" }],
])("a target with %s counts as unreachable", async (_, target) => {
  const { listener, closed } = listenerTo({ host: "127.0.0.1", port: 9 });
  Object.assign(listener.target, target);
  await gateway.open(listener);
  using client = dial();
  await waitFor(() => client.ended);
  client.socket.end();
  await waitFor(() => closed.length === 1);
  expect(closed).toMatchObject([{ reason: "router_unreachable" }]);
});

test("a router that does not answer is given up after the connect time", async () => {
  startGateway({ connectMs: 50 });
  await using target = await startUnansweringTarget();
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  using client = dial();
  await waitFor(() => client.ended);
  client.socket.end();
  await waitFor(() => closed.length === 1);
  expect(closed).toMatchObject([{ reason: "router_unreachable" }]);
});

test("a client that says nothing is cut, whether or not the router has spoken", async () => {
  startGateway({ firstByteMs: 50 });
  await using target = await startTarget((socket) => void socket.write("SSH-2.0-ROSSSH\r\n"));
  await using mute = await startTarget(() => {});
  const ssh = listenerTo(target);
  await gateway.open(ssh.listener);
  using sshClient = dial();
  await waitFor(() => sshClient.closed);
  expect(sshClient.received.toString()).toBe("SSH-2.0-ROSSSH\r\n");
  expect(ssh.closed).toMatchObject([{ reason: "no_first_byte", bytesToRouter: 0, bytesFromRouter: 16 }]);

  await gateway.open({ ...ssh.listener, target: { host: mute.host, port: mute.port } });
  using winboxClient = dial();
  await waitFor(() => winboxClient.closed && ssh.closed.length === 2);
  expect(ssh.closed[1]).toMatchObject({ reason: "no_first_byte", bytesFromRouter: 0 });
});

test("a router that keeps talking does not keep a silent client", async () => {
  startGateway({ firstByteMs: 200 });
  await using target = await startTarget((socket) => {
    const talk = setInterval(() => socket.write("x"), 5);
    socket.on("close", () => clearInterval(talk));
  });
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  using client = dial();
  await waitFor(() => client.closed);
  expect(closed).toMatchObject([{ reason: "no_first_byte" }]);
  expect(client.received.length).toBeGreaterThan(1);
});

test("waiting for ready and for the router is not charged to the client", async () => {
  startGateway({ firstByteMs: 500 });
  await using target = await startTarget();
  const { promise, resolve } = Promise.withResolvers<void>();
  const patient = listenerTo(target, { ready: () => promise });
  await gateway.open(patient.listener);
  using client = dial();
  client.socket.write("early");
  await waitFor(() => gateway.listeners()[0]?.connections === 1);
  // Let a client's time pass, as another connection shows.
  await gateway.open({ ...patient.listener, ready: () => Promise.resolve() });
  using silent = dial();
  await waitFor(() => silent.closed);
  resolve();
  await waitFor(() => client.received.toString() === "early");
  expect(patient.closed).toMatchObject([{ reason: "no_first_byte" }]);
});

test("a connection without a byte for the idle time is cut", async () => {
  startGateway({ idleMs: 50 });
  await using target = await startTarget();
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  using client = dial();
  client.socket.write("x");
  await waitFor(() => client.closed && closed.length === 1);
  expect(client.error?.code).toBe("ECONNRESET");
  expect(closed).toMatchObject([{ reason: "idle", bytesToRouter: 1, bytesFromRouter: 1 }]);
});

test.each([
  ["client", "client_reset"],
  ["router", "router_reset"],
] as const)("a reset of the %s reaches the other side as a reset", async (side, reason) => {
  await using target = await startTarget();
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  using client = dial();
  client.socket.write("x");
  await waitFor(() => client.received.length === 1);
  const router = target.sockets[0];
  (side === "client" ? client.socket : router)?.resetAndDestroy();
  await waitFor(() => client.closed && router?.destroyed === true && closed.length === 1);
  if (side === "router") expect(client.error?.code).toBe("ECONNRESET");
  expect(closed).toMatchObject([{ reason }]);
});

test("either side may end first and still hear the other out", async () => {
  await using target = await startTarget((socket) => {
    socket.end("all I have");
    socket.resume();
  });
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  using client = dial();
  await waitFor(() => client.ended);
  expect(client.received.toString()).toBe("all I have");
  expect(closed).toEqual([]);
  client.socket.end("thank you");
  await waitFor(() => closed.length === 1);
  expect(closed).toMatchObject([{ reason: "router_closed", bytesToRouter: 9, bytesFromRouter: 10 }]);
});

test.each<[string, GatewayOptions["limits"], number]>([
  ["connections of a grant", { connectionsPerGrant: 2 }, 2],
  ["connections of a source", { connectionsPerSource: 2 }, 2],
  ["silent connections of a grant", { openingPerGrant: 2, openingPerSource: 9 }, 2],
  ["silent connections of a source", { openingPerSource: 2 }, 2],
  ["connections of the gateway", { connections: 2 }, 2],
])("%s are limited, and one more is let in when one has gone", async (_, limits, limit) => {
  startGateway(limits);
  await using target = await startTarget();
  const { listener, accepted, refused } = listenerTo(target);
  await gateway.open(listener);
  const clients: TestClient[] = [];
  for (let i = 0; i < limit; i++) {
    clients.push(dial());
    await waitFor(() => accepted.length === i + 1);
  }
  using tooMany = dial();
  await waitFor(() => tooMany.closed || tooMany.ended);
  expect(refused).toEqual([["127.0.0.1", "limit"]]);
  expect(accepted).toHaveLength(limit);

  clients[0]?.socket.destroy();
  await waitFor(() => gateway.listeners()[0]?.connections === limit - 1);
  using next = dial();
  next.socket.write("x");
  await waitFor(() => next.received.length === 1);
  for (const client of clients) client[Symbol.dispose]();
});

test("a client that has spoken no longer counts as silent", async () => {
  startGateway({ openingPerGrant: 1, openingPerSource: 1 });
  await using target = await startTarget();
  const { listener, refused } = listenerTo(target);
  await gateway.open(listener);
  for (let i = 0; i < 5; i++) {
    const client = dial();
    client.socket.write("x");
    await waitFor(() => client.received.length === 1);
  }
  expect(refused).toEqual([]);
});

test("one source cannot take all places of a grant from another", async () => {
  startGateway({ openingPerGrant: 3, openingPerSource: 2 });
  await using target = await startTarget();
  const { listener, accepted } = listenerTo(target);
  await gateway.open(listener);
  const silent = [dial(), dial(), dial(), dial()];
  await waitFor(() => silent.filter((client) => client.closed || client.ended).length === 2);
  using other = dial({ localAddress: "127.0.0.2" });
  other.socket.write("x");
  await waitFor(() => other.received.length === 1);
  expect(accepted).toContain("127.0.0.2");
});
