import { createHash } from "node:crypto";
import { once } from "node:events";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { type Emulator, startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";
import { hostKeyOf } from "./host-key.ts";

const options = { ports: FREE_PORTS, password: "pw", identity: "gw1" };

async function connect(
  router: Emulator,
  { username = "admin", password = "pw", localAddress = "127.0.0.1" } = {},
): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  const port = router.port("ssh");
  // The router may go before the client has said goodbye.
  client.on("error", () => undefined);
  client.connect({ host: router.address, port, username, password, localAddress, readyTimeout: 10_000 });
  await once(client, "ready");
  return client;
}

async function exec(client: ssh2.Client, command: string): Promise<{ output: string; code: number }> {
  let output = "";
  let code = -1;
  await new Promise<void>((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      channel.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      channel.on("exit", (exitCode: number) => {
        code = exitCode;
      });
      channel.once("close", () => resolve());
    });
  });
  return { output, code };
}

test("a user of the router logs in over SSH and runs a command in either spelling", async () => {
  await using router = await startEmulator(options);
  const client = await connect(router);
  const expected = { output: "  name: gw1\r\n\r\n", code: 0 };
  expect(await exec(client, "/system identity print")).toEqual(expected);
  expect(await exec(client, "/system/identity/print")).toEqual(expected);
  expect(await exec(client, "/interfaces print")).toEqual({
    output: "bad command name interfaces (line 1 column 2)\r\n",
    code: 1,
  });
  client.end();
});

test("the console prompts, echoes, answers and quits", async () => {
  await using router = await startEmulator(options);
  const client = await connect(router);
  const shell = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
    client.shell((error, stream) => (error ? reject(error) : resolve(stream)));
  });
  let seen = "";
  shell.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
  });
  const closed = once(shell, "close");
  shell.write("/system identitx\x7fy print\r");
  await expect.poll(() => seen).toContain("  name: gw1\r\n");
  shell.write("/user active print\r");
  await expect.poll(() => seen).toMatch(/0 {2}.* admin {2}127\.0\.0\.1 {2}ssh\r\n/);
  shell.write("/quit\r");
  await closed;
  expect(seen.startsWith("[admin@gw1] > /system identitx\b \by print\r\n")).toBe(true);
  client.end();
});

test("commands from a pipe are answered, and the session ends with them", async () => {
  await using router = await startEmulator(options);
  const client = await connect(router);
  const shell = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
    client.shell(false, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
  let seen = "";
  shell.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
  });
  const closed = once(shell, "close");
  shell.end("/system identity print\n/system identity print\n");
  await closed;
  expect(seen.match(/name: gw1/g)).toHaveLength(2);
  client.end();
});

test("an SSH session is a row of /user/active and ends when it is removed", async () => {
  await using router = await startEmulator({ ...options, version: "7.20" });
  const client = await connect(router);
  using api = await RawClient.login(router.port("api"), { password: "pw" });
  const [row] = await api.rows("/user/active/print", "?via=ssh");
  expect(row).toMatchObject({ name: "admin", address: "127.0.0.1", group: "full" });
  const closed = once(client, "close");
  expect(await api.run("/user/active/remove", `=.id=${row?.[".id"]}`)).toEqual([["!done"]]);
  await closed;
  await expect.poll(() => router.control.sessions().map(({ via }) => via)).toEqual(["api"]);
});

test.each([
  ["a wrong password", { password: "no" }],
  ["a disabled user", { username: "off", password: "p" }],
  ["a user whose group lacks ssh", { username: "api-only", password: "p" }],
  ["a user from another address than its own", { username: "far", password: "p" }],
])("%s is refused", async (_who, login) => {
  await using router = await startEmulator({
    ...options,
    users: [
      { name: "off", password: "p" },
      { name: "far", password: "p", address: "127.0.0.9/32" },
    ],
  });
  await router.control.setRow("/user", "off", { disabled: "yes" });
  await router.control.addRow("/user/group", { name: "api-only", policy: "api,read" });
  await router.control.addRow("/user", { name: "api-only", group: "api-only", password: "p" });
  const attempt = connect(router, login);
  await expect(attempt).rejects.toThrow("All configured authentication methods failed");
  expect(router.control.sessions()).toEqual([]);
});

test("a user comes in over SSH from its own address", async () => {
  await using router = await startEmulator({
    ...options,
    users: [{ name: "far", password: "p", address: "127.0.0.9" }],
  });
  const client = await connect(router, { username: "far", password: "p", localAddress: "127.0.0.9" });
  expect(router.control.sessions()).toMatchObject([{ username: "far", address: "127.0.0.9", via: "ssh" }]);
  client.end();
});

test("connections that come together are each told by their own address", async () => {
  await using router = await startEmulator({ ...options, users: [{ name: "far", password: "p" }] });
  const near = connect(router);
  const far = connect(router, { username: "far", password: "p", localAddress: "127.0.0.9" });
  const clients = await Promise.all([near, far]);
  expect(
    router.control
      .sessions()
      .map(({ username, address }) => `${username} ${address}`)
      .toSorted(),
  ).toEqual(["admin 127.0.0.1", "far 127.0.0.9"]);
  for (const client of clients) client.end();
});

test("bytes that are no SSH harm nobody", async () => {
  await using router = await startEmulator(options);
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    `SSH-2.0-x\r\n${"\0".repeat(5000)}`,
    "\xff".repeat(70_000),
  ]) {
    using socket = await RawClient.open(router.port("ssh"));
    socket.socket.removeAllListeners("data").resume().write(Buffer.from(bytes, "latin1"));
    await socket.closed;
  }
  const client = await connect(router);
  client.end();
});

test("a host key can be read back, whatever its bytes, and is its secret's own", () => {
  for (let first = 0; first < 256; first++) {
    const secret = createHash("sha256").update(`${first}`).digest();
    // ssh2 lost leading zeros of either part.
    if (first % 2 === 0) secret[0] = 0;
    const key = ssh2.utils.parseKey(hostKeyOf(secret));
    if (key instanceof Error) throw key;
    const signature = key.sign("data");
    expect(key.verify("data", signature as Buffer)).toBe(true);
  }
  const zero = Buffer.alloc(32);
  expect(hostKeyOf(zero)).toBe(hostKeyOf(zero));
});
