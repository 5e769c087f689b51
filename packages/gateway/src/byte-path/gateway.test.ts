import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { waitFor } from "@portreeve/testing";
import { expect, test, vi } from "vitest";
import { Gateway, type GatewayOptions } from "./gateway.ts";
import { listenerTo, silentLog, startTarget, startUnansweringTarget, TestClient } from "./test-sockets.ts";

function startGateway(limits: GatewayOptions["limits"] = {}, listenAddress = "127.0.0.1"): Gateway {
  return new Gateway({ listenAddress, limits, log: silentLog });
}

function portOf(gateway: Gateway, id = "grant-1"): number {
  const listener = gateway.listeners().find((each) => each.id === id);
  if (!listener) throw new Error(`${id} is not open`);
  return listener.port;
}

test("bytes pass both ways, and the end of a connection is reported with what it carried", async () => {
  await using target = await startTarget();
  await using gateway = startGateway();
  const { listener, accepted, refused, closed } = listenerTo(target);
  await gateway.open(listener);
  using client = new TestClient({ port: portOf(gateway) }).reading();
  client.socket.end("hello");
  await waitFor(() => closed.length === 1);
  expect(client.received.toString()).toBe("hello");
  expect(accepted).toEqual(["127.0.0.1"]);
  expect(refused).toEqual([]);
  expect(closed).toEqual([
    { source: "127.0.0.1", bytesToRouter: 5, bytesFromRouter: 5, reason: "client_closed" },
  ]);
  expect(gateway.listeners()).toMatchObject([{ id: "grant-1", connections: 0, bufferedBytes: 0 }]);
});

test("a wrong source gets not a byte, and the router sees no connection", async () => {
  await using target = await startTarget((socket) => void socket.write("banner"));
  await using gateway = startGateway();
  const { listener, accepted, refused, closed } = listenerTo(target, {
    admits: (source) => source === "127.0.0.9",
  });
  await gateway.open(listener);
  const port = portOf(gateway);
  for (let i = 0; i < 20; i++) {
    using stranger = new TestClient({ port }).reading();
    stranger.socket.write("SSH-2.0-stranger\r\n");
    await waitFor(() => stranger.closed || stranger.ended);
    expect(stranger.received.length).toBe(0);
  }
  expect(target.sockets).toEqual([]);
  expect(refused).toEqual([["127.0.0.1", "source"]]);

  using friend = new TestClient({ port, localAddress: "127.0.0.9" }).reading();
  await waitFor(() => friend.received.toString() === "banner");
  expect(accepted).toEqual(["127.0.0.9"]);
  expect(closed).toEqual([]);
});

test("an IPv4 client of a gateway on :: is checked by its IPv4 address", async () => {
  await using target = await startTarget();
  await using gateway = startGateway({}, "::");
  const { listener, refused } = listenerTo(target, { admits: (source) => source === "127.0.0.5" });
  await gateway.open(listener);
  const port = portOf(gateway);
  using friend = new TestClient({ port, localAddress: "127.0.0.5" }).reading();
  friend.socket.write("hi");
  await waitFor(() => friend.received.toString() === "hi");
  using six = new TestClient({ port, host: "::1" }).reading();
  await waitFor(() => six.closed || six.ended);
  expect(refused).toEqual([["::1", "source"]]);
});

test("the connection to the router leaves from the local address given", async () => {
  await using target = await startTarget();
  await using gateway = startGateway();
  const { host, port } = target;
  const { listener } = listenerTo(target, { target: { host, port, localAddress: "127.0.0.77" } });
  await gateway.open(listener);
  using client = new TestClient({ port: portOf(gateway) }).reading();
  client.socket.write("x");
  await waitFor(() => client.received.length === 1);
  expect(target.sockets[0]?.remoteAddress).toBe("127.0.0.77");
});

test("200 connections at once each carry their own bytes, whole and in order", async () => {
  await using target = await startTarget();
  const many = {
    connectionsPerGrant: 200,
    connectionsPerSource: 200,
    openingPerGrant: 200,
    openingPerSource: 200,
  };
  await using gateway = startGateway({ ...many, backlog: 512 });
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  const port = portOf(gateway);
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  const runs = Array.from({ length: 200 }, async () => {
    const bytes = randomBytes(100_000);
    using client = new TestClient({ port }).reading();
    client.socket.end(bytes);
    await once(client.socket, "end");
    return digest(client.received) === digest(bytes);
  });
  expect(await Promise.all(runs)).toEqual(Array(200).fill(true));
  await waitFor(() => closed.length === 200);
  expect(closed.every((summary) => summary.bytesFromRouter === 100_000)).toBe(true);
});

test("closing a grant cuts a client that never reads, and its port answers no more", async () => {
  const endless = Buffer.alloc(1024 * 1024);
  await using target = await startTarget((socket) => {
    const pour = () => {
      while (!socket.destroyed && socket.write(endless));
    };
    socket.on("drain", pour);
    pour();
  });
  await using gateway = startGateway();
  const { listener, closed } = listenerTo(target);
  await gateway.open(listener);
  const port = portOf(gateway);
  using client = new TestClient({ port });
  client.socket.write("go");
  await waitFor(() => (gateway.listeners()[0]?.bufferedBytes ?? 0) > 256 * 1024);

  await gateway.close("grant-1", "revoked");
  expect(gateway.listeners()).toEqual([]);
  expect(closed).toMatchObject([{ reason: "revoked", bytesToRouter: 2 }]);
  client.reading();
  await waitFor(() => client.closed);
  expect(client.error?.code).toBe("ECONNRESET");
  await waitFor(() => target.sockets[0]?.destroyed === true);
  using late = new TestClient({ port });
  await waitFor(() => late.closed);
  expect(late.error?.code).toBe("ECONNREFUSED");
});

test("closing a grant cuts connections in every stage", async () => {
  await using target = await startTarget();
  await using unanswering = await startUnansweringTarget();
  await using gateway = startGateway();
  const aborted: boolean[] = [];
  const waiting = listenerTo(target, {
    id: "waiting",
    ready: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(aborted.push(true)));
      }),
  });
  const connecting = listenerTo(unanswering, { id: "connecting" });
  const silent = listenerTo(target, { id: "silent" });
  for (const { listener } of [waiting, connecting, silent]) await gateway.open(listener);
  using first = new TestClient({ port: portOf(gateway, "waiting") }).reading();
  using second = new TestClient({ port: portOf(gateway, "connecting") }).reading();
  using third = new TestClient({ port: portOf(gateway, "silent") }).reading();
  await waitFor(() => gateway.listeners().every(({ connections }) => connections === 1));
  await waitFor(() => connecting.accepted.length === 1 && target.sockets.length === 1);

  await Promise.all(["waiting", "connecting", "silent"].map((id) => gateway.close(id, "expired")));
  await waitFor(() => first.closed && second.closed && third.closed);
  expect(aborted).toEqual([true]);
  expect(waiting.accepted).toEqual([]);
  expect(waiting.refused).toEqual([["127.0.0.1", "not_ready"]]);
  expect(waiting.closed).toEqual([]);
  expect(connecting.closed).toMatchObject([{ reason: "expired" }]);
  expect(silent.closed).toMatchObject([{ reason: "expired" }]);
});

test("opening a grant again keeps its port and connections; new connections follow the new description", async () => {
  await using old = await startTarget((socket) => void socket.write("old"));
  await using moved = await startTarget((socket) => void socket.write("new"));
  await using gateway = startGateway();
  const { listener, closed } = listenerTo(old);
  await Promise.all([gateway.open(listener), gateway.open(listener)]);
  const port = portOf(gateway);
  using first = new TestClient({ port }).reading();
  await waitFor(() => first.received.toString() === "old");

  await gateway.open({ ...listener, target: { host: moved.host, port: moved.port } });
  expect(gateway.listeners()).toMatchObject([{ id: "grant-1", port, connections: 1 }]);
  using second = new TestClient({ port }).reading();
  await waitFor(() => second.received.toString() === "new");
  expect(closed).toEqual([]);
  await expect(gateway.open({ ...listener, port: 9 })).rejects.toMatchObject({
    code: "gateway_listener_conflict",
  });
});

test("a port in use is told apart, and the grant can be opened once it is free", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  await using target = await startTarget();
  await using gateway = startGateway();
  const { listener } = listenerTo(target, { port });
  await expect(gateway.open(listener)).rejects.toMatchObject({ code: "gateway_port_in_use", port });
  expect(gateway.listeners()).toEqual([]);
  other.close();
  await once(other, "close");
  await gateway.open(listener);
  expect(portOf(gateway)).toBe(port);
});

test("a grant can be closed while it opens, opened while it closes, and closed twice", async () => {
  await using target = await startTarget();
  await using gateway = startGateway();
  const { listener } = listenerTo(target);
  const opening = gateway.open(listener);
  const closing = gateway.close("grant-1", "revoked");
  const again = gateway.open(listener);
  await Promise.all([opening, closing, again]);
  expect(gateway.listeners()).toHaveLength(1);
  await Promise.all([gateway.close("grant-1", "revoked"), gateway.close("grant-1", "expired")]);
  await gateway.close("grant-1", "deleted");
  expect(gateway.listeners()).toEqual([]);
});

test("shutdown cuts every grant and lets none be opened again", async () => {
  await using target = await startTarget();
  await using gateway = startGateway();
  const one = listenerTo(target, { id: "one" });
  const two = listenerTo(target, { id: "two" });
  await gateway.open(one.listener);
  await gateway.open(two.listener);
  using client = new TestClient({ port: portOf(gateway, "one") }).reading();
  client.socket.write("x");
  await waitFor(() => client.received.length === 1);
  await Promise.all([gateway.shutdown(), gateway.shutdown()]);
  expect(gateway.listeners()).toEqual([]);
  expect(one.closed).toMatchObject([{ reason: "shutdown" }]);
  await expect(gateway.open(one.listener)).rejects.toMatchObject({ code: "gateway_closed" });
});

test("hooks that fail are logged and harm nobody", async () => {
  await using target = await startTarget();
  const warn = vi.fn();
  await using gateway = new Gateway({ listenAddress: "127.0.0.1", log: { debug() {}, warn } });
  const fail = () => {
    throw new Error("the owner's own fault");
  };
  const failLater = async () => fail();
  const { listener } = listenerTo(target, { onAccepted: failLater, onClosed: fail });
  await gateway.open(listener);
  using client = new TestClient({ port: portOf(gateway) }).reading();
  client.socket.end("still carried");
  await once(client.socket, "end");
  expect(client.received.toString()).toBe("still carried");
  await waitFor(() => warn.mock.calls.length === 2);

  const unsure = listenerTo(target, { admits: fail });
  await gateway.open(unsure.listener);
  using refused = new TestClient({ port: portOf(gateway) }).reading();
  // Whoever is let in gets this back; one that says nothing would be cut as well, after a while.
  refused.socket.write("echo");
  await waitFor(() => refused.closed || refused.ended);
  expect(refused.received.length).toBe(0);
  expect(unsure.refused).toEqual([["127.0.0.1", "source"]]);
  expect(target.sockets).toHaveLength(1);
});

test("a flood of strangers on one grant does not starve another", async () => {
  await using target = await startTarget();
  await using gateway = startGateway();
  const flooded = listenerTo(target, { id: "flooded", admits: () => false });
  const quiet = listenerTo(target, { id: "quiet" });
  await gateway.open(flooded.listener);
  await gateway.open(quiet.listener);
  const port = portOf(gateway, "flooded");
  let strangers = 0;
  let flooding = true;
  const flood = async () => {
    for (; flooding; strangers++) {
      using stranger = new TestClient({ port }).reading();
      await waitFor(() => stranger.closed || stranger.ended);
    }
  };
  const floods = Array.from({ length: 50 }, flood);
  await waitFor(() => strangers > 200);
  for (let i = 0; i < 50; i++) {
    using client = new TestClient({ port: portOf(gateway, "quiet") }).reading();
    client.socket.write("still here");
    await waitFor(() => client.received.toString() === "still here");
  }
  flooding = false;
  await Promise.all(floods);
  expect(target.sockets).toHaveLength(50);
  expect(flooded.refused).toEqual([["127.0.0.1", "source"]]);
});
