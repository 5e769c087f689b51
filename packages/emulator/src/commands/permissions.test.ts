import { expect, test } from "vitest";
import { startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const REFUSED = [["!trap", "=message=not enough permissions (9)"], ["!done"]];
const users = [
  { name: "reader", password: "p", group: "read" },
  { name: "writer", password: "p", group: "write" },
];

test("read prints and changes nothing, write changes but not users and groups", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS, users, version: "7.20" });
  using reader = await RawClient.login(router.port("api"), { username: "reader", password: "p" });
  using writer = await RawClient.login(router.port("api"), { username: "writer", password: "p" });
  expect(await reader.rows("/user/print", "?name=reader")).toHaveLength(1);
  expect(await reader.run("/system/identity/set", "=name=x")).toEqual(REFUSED);
  expect(await writer.run("/system/identity/set", "=name=x")).toEqual([["!done"]]);
  const add = ["/user/add", "=name=x", "=group=full", "=password=p"];
  expect(await writer.run(...add)).toEqual(REFUSED);
  expect(await writer.run("/user/group/set", "=.id=write", "=policy=policy")).toEqual(REFUSED);
  expect(await writer.run("/user/active/remove", "=.id=*1")).toEqual(REFUSED);
});

test("a group without read prints nothing", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  await router.control.addRow("/user/group", { name: "blind", policy: "api,write" });
  await router.control.addRow("/user", { name: "b", group: "blind", password: "p" });
  using client = await RawClient.login(router.port("api"), { username: "b", password: "p" });
  expect(await client.run("/system/identity/print")).toEqual(REFUSED);
});

test("an open session keeps the policies it logged in with, until the emulator is told otherwise", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS, users });
  using writer = await RawClient.login(router.port("api"), { username: "writer", password: "p" });
  await router.control.setRow("/user", "writer", { group: "read" });
  expect(await writer.run("/system/identity/set", "=name=x")).toEqual([["!done"]]);
  router.control.setOpenSessions("end");
  await router.control.setRow("/user", "writer", { comment: "no change of the user" });
  expect(await writer.run("/system/identity/set", "=name=y")).toEqual([["!done"]]);
  await router.control.setRow("/user", "writer", { disabled: "yes" });
  await writer.closed;
});

test.each(["keep", "end"] as const)(
  "a removed user's session is dealt with as chosen: %s",
  async (openSessions) => {
    await using router = await startEmulator({ ports: FREE_PORTS, users, openSessions });
    using writer = await RawClient.login(router.port("api"), { username: "writer", password: "p" });
    await router.control.removeRow("/user", "writer");
    if (openSessions === "end") await writer.closed;
    else expect(await writer.rows("/system/identity/print")).toHaveLength(1);
  },
);
