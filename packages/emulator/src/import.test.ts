import { expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";
import { startRouter, trapOf } from "./testing/scripts.ts";

test("an import stops at the erring line with the lines before it carried out", async () => {
  await using on = await startRouter();
  const { client } = on;
  const contents = [
    "# a configuration",
    "/system identity",
    "set name=first",
    "/user",
    'add name=x group=read password="p" \\',
    "    comment=joined",
    "nonsense here",
    "add name=y group=read password=p",
  ].join("\r\n");
  await client.run("/file/add", "=name=c.rsc", `=contents=${contents}`);
  expect(trapOf(await client.run("/import", "=file-name=c.rsc"))).toBe(
    "Script Error: bad command name nonsense (line 7 column 1)",
  );
  expect(on.router.control.rows("/user").map(({ name }) => name)).toEqual(["admin", "x"]);
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "first" }]);
  expect(trapOf(await client.run("/import", "=file-name=nobody.rsc"))).toBe("no such item");
  await client.run("/file/set", "=.id=c.rsc", "=contents=nonsense\n/system identity set name=second");
  expect(await client.run("/import", "=file-name=c.rsc", "=from-line=2")).toEqual([["!done"]]);
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "second" }]);
});

test("a dry run finds every error and changes nothing", async () => {
  await using on = await startRouter();
  const contents = "/system identity set name=x\nthis is wrong\n:put (\n/user add nme=x\n";
  await on.client.run("/file/add", "=name=test.rsc", `=contents=${contents}`);
  const refused = await on.client.run("/import", "=file-name=test.rsc", "=verbose=yes", "=dry-run=");
  expect(trapOf(refused)).toBe("Script Error: found 3 error(s) in import file");
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "MikroTik" }]);
  const caught = await on.script(':onerror e in={ import test.rsc } do={ :put "Failure - $e" }');
  expect(caught).toBe("Failure - Script Error: bad command name this (line 2 column 1)\n");
});

test("an export makes a second router what the first one is", async () => {
  await using first = await startRouter({ version: "7.18" });
  const rule = 'a "quoted" $comment with \\5C and a long tail that makes the line longer than eighty columns';
  await first.client.run(
    "/ip/firewall/filter/add",
    "=chain=input",
    "=action=drop",
    "=src-address=10.0.0.0/8",
    `=comment=${rule}`,
  );
  await first.client.run(
    "/ip/service/set",
    "=.id=telnet",
    "=disabled=yes",
    "=address=10.0.0.0/8,192.168.0.0/16",
  );
  await first.client.run("/system/identity/set", "=name=gw 1");
  await first.client.run("/user/group/add", "=name=api", "=policy=api,read");
  await first.client.run("/system/script/add", "=name=s", '=source=:put "a\nb\\t$c"');
  await first.client.run("/system/scheduler/add", "=name=t", "=interval=1h", "=on-event=s");
  await first.client.run("/ip/dns/static/add", "=name=a.example", "=address=192.0.2.1");
  expect(await first.client.run("/export")).toEqual([["!done"]]);
  expect(await first.client.run("/export", "=file=all")).toEqual([["!done"]]);
  const text = first.router.control.rows("/file").find(({ name }) => name === "all.rsc")?.contents ?? "";
  expect(text).toMatch(/^# \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} by RouterOS 7\.18\n/);
  expect(text).toContain("/ip firewall filter\nadd action=drop chain=input");
  expect(text).toContain('/system identity\nset name="gw 1"\n');
  expect(text).toContain("set telnet address=10.0.0.0/8,192.168.0.0/16 disabled=yes\n");
  expect(text).not.toContain("password=");
  // Rows every router has from the factory are no configuration.
  expect(text).not.toContain("/interface");

  await using second = await startRouter({ version: "7.18" });
  // The ports are free ones of this machine, and the first router has them.
  const portable = text.replace(/^set (api|ssh) port=.*\n/gm, "");
  await second.client.run("/file/add", "=name=all.rsc", `=contents=${portable}`);
  expect(await second.client.run("/import", "=file-name=all.rsc")).toEqual([["!done"]]);
  const comparable = (on: typeof first, menu: string) =>
    on.router.control.rows(menu).map(({ ".id": _id, "next-run": _next, port: _port, ...row }) => row);
  for (const menu of [
    "/ip/firewall/filter",
    "/system/identity",
    "/user/group",
    "/system/script",
    "/system/scheduler",
    "/ip/dns/static",
  ]) {
    expect(comparable(second, menu)).toEqual(comparable(first, menu));
  }
});

test("a menu is exported to the console, and to a file by who may write files", async () => {
  await using on = await startRouter({ users: [{ name: "w", password: "p", group: "write" }] });
  expect(await on.script("/system identity set name=x; /system identity export")).toContain(
    "/system identity\nset name=x\n",
  );
  using writer = await RawClient.login(on.router.port("api"), { username: "w", password: "p" });
  expect(trapOf(await writer.run("/export", "=verbose=", "=file=test.rsc"))).toBe(
    "not enough permissions (9)",
  );
});
