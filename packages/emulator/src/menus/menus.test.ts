import { expect, test } from "vitest";
import { startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const start = (version = "7.22") => startEmulator({ ports: FREE_PORTS, version });

test("before 7.20 a user needs no password, from then on it does", async () => {
  const words = ["/user/add", "=name=u", "=group=full"];
  await using older = await start("7.19.6");
  using first = await RawClient.login(older.port("api"));
  expect((await first.run(...words))[0]?.[0]).toBe("!done");
  await using newer = await start("7.20");
  using second = await RawClient.login(newer.port("api"));
  expect((await second.run(...words))[0]).toEqual(["!trap", "=message=missing =password="]);
  expect((await second.run(...words, "=password="))[0]?.[0]).toBe("!done");
});

test.each(["", "-a", ".a", "a.", "a b", "a*b"])("the user name %j is refused", async (name) => {
  await using router = await start();
  const add = router.control.addRow("/user", { name, group: "full", password: "p" });
  await expect(add).rejects.toThrow("invalid value for argument name");
});

test("a changed password counts at once, and a renamed user logs in by the new name", async () => {
  await using router = await start();
  await router.control.setRow("/user", "admin", { password: "new", name: "root-1" });
  expect(router.control.wouldAuthenticate("root-1", "new", "127.0.0.1")).toBe(true);
  expect(router.control.wouldAuthenticate("root-1", "", "127.0.0.1")).toBe(false);
  expect(router.control.wouldAuthenticate("admin", "new", "127.0.0.1")).toBe(false);
});

test("the last user with full rights stays", async () => {
  await using router = await start();
  const { control } = router;
  await control.addRow("/user", { name: "reader", group: "read", password: "p" });
  await expect(control.removeRow("/user", "admin")).rejects.toThrow("action failed (6)");
  await control.addRow("/user", { name: "second", group: "full", password: "p" });
  await control.removeRow("/user", "admin");
  expect(control.rows("/user").map(({ name }) => name)).toEqual(["reader", "second"]);
});

test("disabling oneself is accepted and changes nothing", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  expect(await client.run("/user/disable", "=.id=admin")).toEqual([["!done"]]);
  expect(await client.rows("/user/print", "=.proplist=disabled")).toEqual([{ disabled: "false" }]);
});

test("the rules of /user/settings hold for new passwords", async () => {
  await using router = await start();
  const { control } = router;
  await control.setRow("/user/settings", undefined, {
    "minimum-password-length": "8",
    "minimum-categories": "3",
  });
  const set = (password: string) => control.setRow("/user", "admin", { password });
  await expect(set("Ab1")).rejects.toThrow("action failed (6)");
  await expect(set("abcdefgh1")).rejects.toThrow("action failed (6)");
  await set("Abcdefgh1");
});

test("the last login is shown once there was one", async () => {
  await using router = await start();
  expect(router.control.rows("/user")[0]).not.toHaveProperty("last-logged-in");
  using client = await RawClient.login(router.port("api"));
  const [user] = await client.rows("/user/print");
  expect(user?.["last-logged-in"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
});

test("a new group has what it lists alone; set changes what it lists alone", async () => {
  await using router = await start();
  const { control } = router;
  const id = await control.addRow("/user/group", { name: "ops", policy: "read,api,write,!ftp" });
  const policy = () => control.rows("/user/group").find((row) => row[".id"] === id)?.policy ?? "";
  expect(policy()).toMatch(/^read,write,api,!local,!telnet,!ssh,/);
  await control.setRow("/user/group", "ops", { policy: "ssh,!write" });
  expect(policy()).toMatch(/^ssh,read,api,!local,/);
});

test("the default groups can't be removed, nor one that is in use", async () => {
  await using router = await start();
  const { control } = router;
  expect(control.rows("/user/group").map(({ name }) => name)).toEqual(["read", "write", "full"]);
  await expect(control.removeRow("/user/group", "read")).rejects.toThrow("action failed (6)");
  await control.addRow("/user/group", { name: "ops", policy: "read" });
  const user = await control.addRow("/user", { name: "u", group: "ops", password: "" });
  await expect(control.removeRow("/user/group", "ops")).rejects.toThrow("action failed (6)");
  await control.removeRow("/user", user);
  await control.removeRow("/user/group", "ops");
});

test.each([
  ["6.49", "tikapp", true],
  ["6.49", "rest-api", false],
  ["7.16", "rest-api", true],
  ["7.22.3", "dude", false],
])("in %s the policy %s is known: %s", async (version, policy, known) => {
  await using router = await start(version);
  const add = router.control.addRow("/user/group", { name: "g", policy: `read,!${policy}` });
  if (known) await add;
  else await expect(add).rejects.toThrow("input does not match any value of policy");
});

test("a group without a name is refused in its own words", async () => {
  await using router = await start();
  await expect(router.control.addRow("/user/group", {})).rejects.toThrow("failure: invalid group name");
});

test.each([
  ["6.49.10", []],
  ["7.9", ["request-logout"]],
  ["7.19.6", ["request-logout"]],
  ["7.20", ["remove"]],
])("RouterOS %s ends sessions by %j", async (version, commands) => {
  for (const command of ["request-logout", "remove"]) {
    await using router = await start(version);
    using victim = await RawClient.login(router.port("api"));
    using client = await RawClient.login(router.port("api"));
    const id = router.control.sessions()[0]?.id;
    const [reply] = await client.run(`/user/active/${command}`, `=.id=${id}`);
    if (commands.includes(command)) {
      expect(reply).toEqual(["!done"]);
      await victim.closed;
      await expect.poll(() => router.control.sessions()).toHaveLength(1);
    } else {
      expect(reply).toEqual(["!trap", "=category=0", "=message=no such command"]);
      expect(await victim.rows("/system/identity/print")).toHaveLength(1);
    }
  }
});

test("a session's row tells when, who, from where and how", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  const [row] = await client.rows("/user/active/print");
  expect(row).toEqual({
    ".id": "*1",
    when: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    name: "admin",
    address: "127.0.0.1",
    via: "api",
    group: "full",
    radius: "false",
    "by-romon": "false",
  });
  await using old = await start("6.49");
  using its = await RawClient.login(old.port("api"));
  const [oldRow] = await its.rows("/user/active/print");
  expect(oldRow?.when).toMatch(/^[a-z]{3}\/\d\d\/\d{4} \d\d:\d\d:\d\d$/);
});

const LIST = "/ip/firewall/address-list";

test("an address list entry with a timeout is dynamic and goes when its time is up", async () => {
  await using router = await start();
  const { control } = router;
  await control.addRow(LIST, { list: "a", address: "192.0.2.1", timeout: "1h" });
  await control.addRow(LIST, { list: "a", address: "192.0.2.2", timeout: "0s" });
  expect(control.rows(LIST)).toMatchObject([{ dynamic: "true", timeout: "1h" }, { dynamic: "false" }]);
  control.advanceClock(1_800_000);
  expect(control.rows(LIST)[0]?.timeout).toBe("30m");
  control.advanceClock(1_800_000);
  expect(control.rows(LIST).map(({ address }) => address)).toEqual(["192.0.2.2"]);
});

test("a second entry of the same list and address is refused and renews nothing", async () => {
  await using router = await start();
  const { control } = router;
  await control.addRow(LIST, { list: "a", address: "192.0.2.1", timeout: "1h" });
  control.advanceClock(1_800_000);
  const again = control.addRow(LIST, { list: "a", address: "192.0.2.1", timeout: "1h" });
  await expect(again).rejects.toThrow("failure: already have such entry");
  expect(control.rows(LIST)[0]?.timeout).toBe("30m");
});

test.each([
  ["192.0.2.0-192.0.2.255", "192.0.2.0/24"],
  ["192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9"],
  ["192.0.2.1/32", "192.0.2.1"],
  ["example.net", "example.net"],
  ["192.0.2.9-192.0.2.1", undefined],
  ["192.0.2.256", undefined],
])("the list address %s is stored as %s", async (address, stored) => {
  await using router = await start();
  const add = router.control.addRow(LIST, { list: "a", address });
  if (stored === undefined) await expect(add).rejects.toThrow("invalid value for argument address");
  else {
    await add;
    expect(router.control.rows(LIST)[0]?.address).toBe(stored);
  }
});

test("a log line can be written and read", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  await client.run("/log/warning", "=message=hello");
  expect(await client.rows("/log/print", "?message=hello", "=.proplist=topics,message")).toEqual([
    { topics: "script,warning", message: "hello" },
  ]);
});
