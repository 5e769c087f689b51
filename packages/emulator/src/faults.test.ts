import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startEmulator } from "./index.ts";
import { FREE_PORTS, RawClient } from "./testing/raw-client.ts";

const SET = ["/system/identity/set", "=name=changed"] as const;
const start = () => startEmulator({ ports: FREE_PORTS });

test("a delayed reply comes after those of later commands, its change was made at once", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "delay", ms: 50, command: SET[0], times: 1 });
  client.send(...SET, ".tag=slow");
  client.send("/system/identity/print", ".tag=fast");
  expect(await client.receive()).toEqual(["!re", ".tag=fast", "=name=changed"]);
  expect(await client.receive()).toEqual(["!done", ".tag=fast"]);
  expect(await client.receive()).toEqual(["!done", ".tag=slow"]);
});

test("a dropped reply leaves the change made and the connection open", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "drop-reply", command: SET[0] });
  client.send(...SET);
  expect(await client.run("/system/identity/print")).toEqual([["!re", "=name=changed"], ["!done"]]);
});

test("a dropped reply may close the connection", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "drop-reply", command: SET[0], close: true });
  client.send(...SET);
  await client.closed;
  expect(router.control.rows("/system/identity")).toEqual([{ name: "changed" }]);
});

test("silence carries nothing out and answers nothing", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "silence", command: /^\/system\/identity\/set$/ });
  client.send(...SET);
  expect(await client.run("/system/identity/print")).toEqual([["!re", "=name=MikroTik"], ["!done"]]);
});

test("the connection is cut in the middle of a sentence, after the change", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  const before = client.socket.bytesRead;
  router.control.inject({ kind: "cut", command: SET[0], bytes: 3 });
  client.send(...SET);
  await client.closed;
  expect(client.socket.bytesRead - before).toBe(3);
  expect(router.control.rows("/system/identity")).toEqual([{ name: "changed" }]);
});

test("a chosen trap answers a chosen command as often as asked", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({
    kind: "trap",
    message: "failure: flash is full",
    category: 4,
    command: SET[0],
    times: 2,
  });
  const refused = [["!trap", "=category=4", "=message=failure: flash is full"], ["!done"]];
  expect(await client.run("/system/identity/print")).toHaveLength(2);
  expect(await client.run(...SET)).toEqual(refused);
  expect(await client.run(...SET)).toEqual(refused);
  expect(router.control.rows("/system/identity")).toEqual([{ name: "MikroTik" }]);
  expect(await client.run(...SET)).toEqual([["!done"]]);
});

test("garbage is no sentence, and clear takes a waiting fault back", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "garbage", command: SET[0] });
  router.control.clear();
  expect(await client.run(...SET)).toEqual([["!done"]]);
  router.control.inject({ kind: "garbage" });
  const socket = connect({ port: router.port("api"), host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write(Buffer.from("\x06/login\x00"));
  const [bytes] = (await once(socket, "data")) as [Buffer];
  expect(bytes[0]).toBeGreaterThanOrEqual(0xf8);
  socket.destroy();
});

test("a trickling reply arrives whole in the end", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "trickle", ms: 1, times: 1 });
  expect(await client.run("/system/identity/print")).toEqual([["!re", "=name=MikroTik"], ["!done"]]);
});

test("a flood of rows ends only with the connection", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  router.control.inject({ kind: "flood" });
  client.send("/user/print");
  for (let count = 0; count < 10_000; count++) expect((await client.receive())[0]).toBe("!re");
  client.close();
  await expect.poll(() => router.control.sessions()).toEqual([]);
});

test("refused connections are reset before a byte, of one service and as often as asked", async () => {
  await using router = await start();
  router.control.inject({ kind: "refuse", service: "api", times: 1 });
  const socket = connect({ port: router.port("api"), host: "127.0.0.1" });
  await expect(once(socket, "close")).rejects.toThrow("ECONNRESET");
  using client = await RawClient.login(router.port("api"));
  expect(await client.rows("/system/identity/print")).toHaveLength(1);
});
