import { expect, test } from "vitest";
import { startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const options = { ports: FREE_PORTS, password: "pw" };
const MANUAL_CHALLENGE = Buffer.from("93b438ec9b80057c06dd9fe67d56aa9a", "hex");

test("name and password in one sentence log in and are answered !done without =ret=", async () => {
  await using router = await startEmulator(options);
  using client = await RawClient.open(router.port("api"));
  expect(await client.run("/login", "=name=admin", "=password=pw")).toEqual([["!done"]]);
  expect(router.control.sessions()).toMatchObject([{ username: "admin", via: "api", address: "127.0.0.1" }]);
});

test("a wrong password is refused without a category, and the connection may try again", async () => {
  await using router = await startEmulator(options);
  using client = await RawClient.open(router.port("api"));
  expect(await client.run("/login", "=name=admin", "=password=no")).toEqual([
    ["!trap", "=message=invalid user name or password (6)"],
    ["!done"],
  ]);
  expect(await client.run("/login", "=name=admin", "=password=pw")).toEqual([["!done"]]);
});

test("a login without a password gets a challenge and proves nothing", async () => {
  await using router = await startEmulator({ ...options, version: "7.20.8" });
  using client = await RawClient.open(router.port("api"));
  const [reply] = await client.run("/login", "=name=admin");
  expect(reply?.[1]).toMatch(/^=ret=[0-9a-f]{32}$/);
  expect(await client.run("/system/resource/print")).toEqual([["!fatal", "not logged in"]]);
  await client.closed;
});

test("before 6.43 the answer to the manual's challenge logs in", async () => {
  await using router = await startEmulator({
    ports: FREE_PORTS,
    version: "6.42.12",
    randomBytes: () => MANUAL_CHALLENGE,
  });
  using client = await RawClient.open(router.port("api"));
  expect(await client.run("/login")).toEqual([["!done", `=ret=${MANUAL_CHALLENGE.toString("hex")}`]]);
  const answer = "=response=00e134102a9d330dd7b1849fedfea3cb57";
  expect(await client.run("/login", "=name=admin", answer)).toEqual([["!done"]]);
});

test("before 6.43 name and password in one sentence get a challenge, a wrong answer the old refusal", async () => {
  await using router = await startEmulator({ ...options, version: "6.40" });
  using client = await RawClient.open(router.port("api"));
  const [reply] = await client.run("/login", "=name=admin", "=password=pw");
  expect(reply?.[1]).toMatch(/^=ret=/);
  expect(await client.run("/login", "=name=admin", "=response=00ff")).toEqual([
    ["!trap", "=message=cannot log in"],
    ["!done"],
  ]);
});

test("a user whose group lacks the api policy is told so", async () => {
  await using router = await startEmulator(options);
  await router.control.addRow("/user/group", { name: "winbox-only", policy: "read,winbox" });
  await router.control.addRow("/user", { name: "w", group: "winbox-only", password: "p" });
  using client = await RawClient.open(router.port("api"));
  expect(await client.run("/login", "=name=w", "=password=p")).toEqual([
    ["!trap", "=message=std failure: not allowed (9)"],
    ["!done"],
  ]);
});

test("a user is let in from its own address alone", async () => {
  await using router = await startEmulator({
    ...options,
    users: [{ name: "far", password: "p", address: "127.0.0.9" }],
  });
  using near = await RawClient.open(router.port("api"));
  expect((await near.run("/login", "=name=far", "=password=p"))[0]?.[0]).toBe("!trap");
  using far = await RawClient.open(router.port("api"), "127.0.0.9");
  expect(await far.run("/login", "=name=far", "=password=p")).toEqual([["!done"]]);
  expect(router.control.wouldAuthenticate("far", "p", "127.0.0.9")).toBe(true);
  expect(router.control.wouldAuthenticate("far", "p", "127.0.0.1")).toBe(false);
});

test("a disabled user is refused like a wrong password", async () => {
  await using router = await startEmulator({ ...options, users: [{ name: "u", password: "p" }] });
  await router.control.setRow("/user", "u", { disabled: "yes" });
  using client = await RawClient.open(router.port("api"));
  expect((await client.run("/login", "=name=u", "=password=p"))[0]).toEqual([
    "!trap",
    "=message=invalid user name or password (6)",
  ]);
});

test("a command before the login is answered with !fatal and closes the connection", async () => {
  await using router = await startEmulator(options);
  using client = await RawClient.open(router.port("api"));
  expect(await client.run("/system/identity/print")).toEqual([["!fatal", "not logged in"]]);
  await client.closed;
});

test("logins, logouts and failures are logged as RouterOS logs them", async () => {
  await using router = await startEmulator(options);
  using client = await RawClient.open(router.port("api"));
  await client.run("/login", "=name=admin", "=password=no");
  await client.run("/login", "=name=admin", "=password=pw");
  await client.run("/quit");
  await client.closed;
  await expect
    .poll(() => router.control.rows("/log").map((line) => line.message))
    .toEqual([
      "login failure for user admin from 127.0.0.1 via api",
      "user admin logged in from 127.0.0.1 via api",
      "user admin logged out from 127.0.0.1 via api",
    ]);
});

test("no password reaches the transcript", async () => {
  await using router = await startEmulator(options);
  using client = await RawClient.open(router.port("api"));
  await client.run("/login", "=name=admin", "=password=pw");
  await client.run("/user/add", "=name=x", "=group=read", "=password=line one\nline two");
  const text = JSON.stringify(router.control.transcript());
  expect(text).toContain("=password=[redacted]");
  expect(text).not.toContain("line two");
  expect(text).not.toContain("=pw");
});

test("bytes that are no API close their connection and harm nobody else", async () => {
  await using router = await startEmulator(options);
  using bystander = await RawClient.login(router.port("api"), { password: "pw" });
  const attacks = [
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2000)),
    Buffer.of(0xff, 0xff, 0xff),
    Buffer.of(0xf0, 0x7f, 0xff, 0xff, 0xff),
    Buffer.alloc(200_000, 0x41),
  ];
  for (const bytes of attacks) {
    using attacker = await RawClient.open(router.port("api"));
    attacker.socket.write(bytes);
    await attacker.closed;
  }
  expect(await bystander.rows("/system/identity/print")).toHaveLength(1);
});

test("a client that only tries passwords is cut off in the end", async () => {
  await using router = await startEmulator(options);
  using client = await RawClient.open(router.port("api"));
  for (let attempt = 0; attempt < 32; attempt++) {
    expect((await client.run("/login", "=name=admin", "=password=no"))[0]?.[0]).toBe("!trap");
  }
  expect(await client.run("/login", "=name=admin", "=password=pw")).toEqual([
    ["!fatal", "too many commands before login"],
  ]);
  await client.closed;
});
