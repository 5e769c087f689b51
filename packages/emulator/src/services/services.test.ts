import { once } from "node:events";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, test } from "vitest";
import { type Emulator, startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const start = (version = "7.16") => startEmulator({ ports: FREE_PORTS, version });

/** Is anything listening there? */
async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** What a client sees that connects from an address: bytes until the router closes. */
async function bytesUntilClose(port: number, localAddress: string): Promise<number> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  socket.resume();
  await once(socket, "close");
  return socket.bytesRead;
}

const service = (router: Emulator, name: string) =>
  router.control.rows("/ip/service").find((row) => row.name === name && row.dynamic !== "true");

test("every service listens on its row's port, www-ssl and reverse-proxy are off", async () => {
  await using router = await start("7.22");
  const rows = router.control.rows("/ip/service").filter((row) => row.dynamic === "false");
  const listening = await Promise.all(
    rows.map(async ({ name, port }) => [name, await accepts(Number(port))]),
  );
  expect(Object.fromEntries(listening)).toEqual({
    telnet: true,
    ftp: true,
    www: true,
    ssh: true,
    "www-ssl": false,
    api: true,
    winbox: true,
    "api-ssl": true,
    "reverse-proxy": false,
  });
});

test("without ports given, the rows have RouterOS's own", async () => {
  await using router = await startEmulator({ address: "127.18.0.1" });
  expect(router.control.rows("/ip/service").map(({ name, port }) => `${name} ${port}`)).toEqual([
    "telnet 23",
    "ftp 21",
    "www 80",
    "ssh 22",
    "www-ssl 443",
    "api 8728",
    "winbox 8291",
    "api-ssl 8729",
  ]);
});

test("a row tells what its version has", async () => {
  const shapes: Record<string, string[]> = {};
  for (const version of ["6.49", "7.9", "7.16", "7.19.1", "7.24"]) {
    await using router = await start(version);
    shapes[version] = Object.keys(service(router, "api-ssl") ?? {});
  }
  const tls = ["certificate", "tls-version"];
  expect(shapes).toEqual({
    "6.49": [".id", "name", "port", "address", ...tls, "invalid", "disabled"],
    "7.9": [".id", "name", "port", "address", ...tls, "vrf", "invalid", "disabled"],
    "7.16": [".id", "name", "port", "address", ...tls, "vrf", "max-sessions", "invalid", "disabled"],
    "7.19.1": [
      ...[".id", "name", "port", "proto", "address", ...tls, "vrf", "max-sessions"],
      ...["dynamic", "invalid", "disabled"],
    ],
    "7.24": [
      ...[".id", "name", "port", "proto", "available-from", ...tls, "vrf", "max-sessions"],
      ...["dynamic", "invalid", "disabled"],
    ],
  });
});

test("setting a port moves the listener; established connections stay", async () => {
  await using router = await start();
  const old = router.port("api");
  const next = await freePort();
  using client = await RawClient.login(old);
  expect(await client.run("/ip/service/set", "=.id=api", `=port=${next}`)).toEqual([["!done"]]);
  expect(router.port("api")).toBe(next);
  expect(await accepts(old)).toBe(false);
  using moved = await RawClient.login(next);
  expect(await moved.rows("/system/identity/print")).toHaveLength(1);
  expect(await client.rows("/system/identity/print")).toHaveLength(1);
});

test("disabling closes the listener and enabling opens it again; established connections stay", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  await client.run("/ip/service/disable", "=numbers=winbox,api");
  expect(await accepts(router.port("winbox"))).toBe(false);
  expect(await accepts(router.port("api"))).toBe(false);
  await client.run("/ip/service/set", "=.id=winbox", "=disabled=no");
  expect(await accepts(router.port("winbox"))).toBe(true);
});

test("a source the service doesn't admit connects and is closed without a byte", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  await client.run("/ip/service/set", "=.id=api", "=address=127.0.0.2,127.0.1.0/24");
  expect(service(router, "api")?.address).toBe("127.0.0.2/32,127.0.1.0/24");
  expect(await bytesUntilClose(router.port("api"), "127.0.0.1")).toBe(0);
  using admitted = await RawClient.login(router.port("api"), { localAddress: "127.0.1.9" });
  expect(await admitted.rows("/system/identity/print")).toHaveLength(1);
  expect(await client.rows("/system/identity/print")).toHaveLength(1);
  const seen = router.control.peers("api").map(({ address, admitted: was }) => [address, was]);
  expect(seen).toEqual([
    ["127.0.0.1", true],
    ["127.0.0.1", false],
    ["127.0.1.9", true],
  ]);
});

test("a bad element refuses the whole list", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  const [trap] = await client.run("/ip/service/set", "=.id=api", "=address=127.0.0.1,nonsense");
  expect(trap).toEqual(["!trap", "=category=1", "=message=invalid value for argument address"]);
  expect(service(router, "api")?.address).toBe("");
});

test("a port that can't be bound makes the row invalid, and the router runs on", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  await using router = await startEmulator({ ports: { ...FREE_PORTS, winbox: port } });
  expect(service(router, "winbox")?.invalid).toBe("true");
  expect(service(router, "api")?.invalid).toBe("false");
  await router.control.setRow("/ip/service", "winbox", { port: String(await freePort()) });
  expect(service(router, "winbox")?.invalid).toBe("false");
  taken.close();
});

test("two enabled services can't share a port, a disabled one may", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  const taken = `=port=${router.port("ssh")}`;
  const refusal = [["!trap", "=message=failure: this is configured elsewhere"], ["!done"]];
  expect(await client.run("/ip/service/set", "=.id=winbox", taken)).toEqual(refusal);
  expect(await client.run("/ip/service/set", "=.id=www-ssl", taken)).toEqual([["!done"]]);
  expect(await client.run("/ip/service/enable", "=.id=www-ssl")).toEqual(refusal);
});

test("from 7.19 open connections are rows, so the name of a service in use no longer names it", async () => {
  await using router = await start("7.19");
  using client = await RawClient.login(router.port("api"));
  const rows = await client.rows("/ip/service/print", "?name=api");
  expect(rows.map((row) => row.dynamic)).toEqual(["false", "true"]);
  expect(rows[1]).toMatchObject({ connection: "true", proto: "tcp", local: "127.0.0.1" });
  expect(rows[1]?.remote).toBe(`127.0.0.1:${client.socket.localPort}`);
  const refusal = [["!trap", "=message=failure: this is configured elsewhere"], ["!done"]];
  expect(await client.run("/ip/service/set", "=.id=api", "=max-sessions=9")).toEqual(refusal);
  expect(await client.run("/ip/service/set", `=.id=${rows[1]?.[".id"]}`, "=max-sessions=9")).toEqual(refusal);
  expect(await client.run("/ip/service/set", `=.id=${rows[0]?.[".id"]}`, "=max-sessions=9")).toEqual([
    ["!done"],
  ]);
  expect(await client.run("/ip/service/set", "=.id=telnet", "=disabled=yes")).toEqual([["!done"]]);
});

test("in 7.24 either argument writes available-from, and print shows no address", async () => {
  await using router = await start("7.24");
  const { control } = router;
  await control.setRow("/ip/service", "telnet", { "available-from": "127.0.0.2" });
  expect(service(router, "telnet")).toMatchObject({ "available-from": "127.0.0.2/32" });
  await control.setRow("/ip/service", "telnet", { address: "127.0.0.3" });
  expect(service(router, "telnet")).toMatchObject({ "available-from": "127.0.0.3/32" });
  expect(service(router, "telnet")).not.toHaveProperty("address");
  expect(await bytesUntilClose(router.port("telnet"), "127.0.0.1")).toBe(0);
});

test.each([
  ["max-sessions", "7.15", false],
  ["max-sessions", "7.16", true],
  ["available-from", "7.23", false],
  ["available-from", "7.24", true],
  ["vrf", "6.49", false],
])("the argument %s in %s: %s", async (name, version, known) => {
  await using router = await start(version);
  const value = { "max-sessions": "5", "available-from": "", vrf: "main" }[name] ?? "";
  const set = router.control.setRow("/ip/service", "telnet", { [name]: value });
  if (known) await set;
  else await expect(set).rejects.toThrow("unknown parameter");
});

test("a client beyond max-sessions is closed without a byte", async () => {
  await using router = await start();
  await router.control.setRow("/ip/service", "winbox", { "max-sessions": "1" });
  const first = connect({ port: router.port("winbox"), host: "127.0.0.1" });
  await once(first, "connect");
  expect(await bytesUntilClose(router.port("winbox"), "127.0.0.1")).toBe(0);
  first.destroy();
});

test("WinBox holds the connection and records who it was and how much came", async () => {
  await using router = await start();
  const socket = connect({ port: router.port("winbox"), host: "127.0.0.1", localAddress: "127.0.0.7" });
  await once(socket, "connect");
  socket.write("hello");
  await expect
    .poll(() => router.control.peers("winbox"))
    .toMatchObject([{ address: "127.0.0.7", admitted: true, bytesReceived: 5, open: true }]);
  expect(router.control.sessions()).toEqual([]);
  socket.destroy();
  await expect.poll(() => router.control.peers("winbox")[0]?.open).toBe(false);
});

test("api-ssl without a certificate offers anonymous Diffie-Hellman and speaks the same API", async () => {
  await using router = await start();
  const ciphers = "ADH-AES256-GCM-SHA384:@SECLEVEL=0";
  const socket = connectTls({
    port: router.port("api-ssl"),
    host: "127.0.0.1",
    ciphers,
    maxVersion: "TLSv1.2",
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  using client = new RawClient(socket);
  expect(await client.run("/login", "=name=admin", "=password=")).toEqual([["!done"]]);
  expect(await client.rows("/user/active/print")).toMatchObject([{ name: "admin", address: "127.0.0.1" }]);
});

test("api-ssl refuses a client that insists on a certificate", async () => {
  await using router = await start();
  const socket = connectTls({ port: router.port("api-ssl"), host: "127.0.0.1", rejectUnauthorized: false });
  await expect(once(socket, "secureConnect")).rejects.toThrow();
});
