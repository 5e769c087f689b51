import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

let router: Emulator;
let client: RawClient;

beforeAll(async () => {
  router = await startEmulator({ ports: FREE_PORTS, version: "7.18", model: "hEX", serialNumber: "ABC123" });
  client = await RawClient.login(router.port("api"));
});
afterAll(async () => {
  client.close();
  await router.close();
});

test("a menu of one row has no .id", async () => {
  expect(await client.run("/system/identity/print")).toEqual([["!re", "=name=MikroTik"], ["!done"]]);
});

test("getall is print", async () => {
  expect(await client.run("/system/identity/getall")).toEqual([["!re", "=name=MikroTik"], ["!done"]]);
});

test("the routerboard shows the hardware it was given", async () => {
  expect(await client.rows("/system/routerboard/print")).toMatchObject([
    { routerboard: "true", model: "hEX", "serial-number": "ABC123", "current-firmware": "7.18" },
  ]);
});

test("the version names its channel", async () => {
  expect(await client.rows("/system/resource/print", "=.proplist=version")).toEqual([
    { version: "7.18 (stable)" },
  ]);
});

test("a proplist cuts rows down, .id included unless it is listed", async () => {
  expect(await client.run("/user/print", "=.proplist=group,nothing")).toEqual([
    ["!re", "=group=full"],
    ["!done"],
  ]);
  expect(await client.run("/user/print", "=.proplist=.id,name")).toEqual([
    ["!re", "=.id=*1", "=name=admin"],
    ["!done"],
  ]);
});

test("a row that has none of the listed properties is an !re without attributes", async () => {
  expect(await client.run("/user/print", "=.proplist=nothing")).toEqual([["!re"], ["!done"]]);
});

test("a password is never printed", async () => {
  const [user] = await client.rows("/user/print", "=detail=");
  expect(user).toMatchObject({ name: "admin" });
  expect(user).not.toHaveProperty("password");
  expect(await client.rows("/user/print", "=.proplist=password")).toEqual([{}]);
});

test("from 7.18 nothing to print is !empty before !done", async () => {
  expect(await client.run("/ip/firewall/filter/print")).toEqual([["!empty"], ["!done"]]);
  expect(await client.run("/user/print", "?name=nobody")).toEqual([["!empty"], ["!done"]]);
});

test("before 7.18 nothing to print is !done alone", async () => {
  await using older = await startEmulator({ ports: FREE_PORTS, version: "7.17.2" });
  using its = await RawClient.login(older.port("api"));
  expect(await its.run("/user/print", "?name=nobody")).toEqual([["!done"]]);
});

test("count-only answers the number in =ret=, queries counted in", async () => {
  expect(await client.run("/user/group/print", "=count-only=")).toEqual([["!done", "=ret=3"]]);
  expect(await client.run("/user/group/print", "=count-only=", "?name=full")).toEqual([["!done", "=ret=1"]]);
  expect(await client.run("/user/group/print", "=count-only=", "?name=none")).toEqual([["!done", "=ret=0"]]);
});

test("get answers one property in =ret=", async () => {
  expect(await client.run("/user/get", "=.id=admin", "=value-name=group")).toEqual([["!done", "=ret=full"]]);
  expect(await client.run("/system/identity/get", "=value-name=name")).toEqual([["!done", "=ret=MikroTik"]]);
});

test("an unknown menu is refused with two traps and one !done", async () => {
  expect(await client.run("/ip/adress/print")).toEqual([
    ["!trap", "=category=0", "=message=no such command or directory (adress)"],
    ["!trap", "=message=no such command prefix"],
    ["!done"],
  ]);
});

test.each([
  ["an unknown command", ["/ip/service/add"], "=message=no such command"],
  ["a menu alone", ["/ip/service"], "=message=no such command"],
  ["an option written as a path segment", ["/user/print/count-only"], "=message=no such command prefix"],
  ["an unknown argument", ["/user/print", "=wrong=1"], "=message=unknown parameter wrong"],
  [
    "detail of a menu of one row",
    ["/system/identity/print", "=detail="],
    "=message=unknown parameter detail",
  ],
  [
    "what the emulator cannot do",
    ["/user/print", "=interval=1s"],
    "=message=failure: the emulator does not do print interval",
  ],
])("%s is refused", async (_what, words, message) => {
  const [trap, done] = await client.run(...words);
  expect(trap?.[0]).toBe("!trap");
  expect(trap?.at(-1)).toBe(message);
  expect(done).toEqual(["!done"]);
});

test("RouterOS 6 does not name the unknown argument", async () => {
  await using older = await startEmulator({ ports: FREE_PORTS, version: "6.49.10" });
  using its = await RawClient.login(older.port("api"));
  expect((await its.run("/user/print", "=wrong=1"))[0]).toEqual(["!trap", "=message=unknown parameter"]);
});

test("a tag is on every reply of its command", async () => {
  client.send("/user/print", ".tag=a b", "=.proplist=name");
  expect(await client.receive()).toEqual(["!re", ".tag=a b", "=name=admin"]);
  expect(await client.receive()).toEqual(["!done", ".tag=a b"]);
  client.send("/nothing/here", ".tag=7");
  expect((await client.receive()).slice(0, 2)).toEqual(["!trap", ".tag=7"]);
  expect((await client.receive()).slice(0, 2)).toEqual(["!trap", ".tag=7"]);
  expect(await client.receive()).toEqual(["!done", ".tag=7"]);
});
