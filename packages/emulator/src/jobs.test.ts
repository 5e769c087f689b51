import { expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";
import { startRouter, trapOf } from "./testing/scripts.ts";

const HOUR = 3_600_000;

test("a script is kept, run by name, id or number, counted, and tells when it can't be read", async () => {
  await using on = await startRouter();
  const { client } = on;
  const [added] = await client.run("/system/script/add", "=name=hello", '=source=/put "hello"');
  expect(await client.run("/system/script/run", "=number=0")).toEqual([["!done", "=ret=hello"]]);
  expect(await client.run("/system/script/run", "=number=hello")).toEqual([["!done", "=ret=hello"]]);
  const [row] = await client.rows("/system/script/print");
  expect(row).toMatchObject({ name: "hello", owner: "admin", "run-count": "2", invalid: "false" });
  expect(row?.policy).toBe("ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon");
  await client.run("/system/script/set", `${added?.[1]?.replace("=ret=", "=.id=")}`, "=source=:put (");
  expect((await client.rows("/system/script/print"))[0]?.invalid).toBe("true");
  expect(trapOf(await client.run("/system/script/run", "=number=hello"))).toBe(
    "syntax error (line 1 column 7)",
  );
  expect(trapOf(await client.run("/system/script/run", "=number=nobody"))).toBe("no such item");
  await client.run("/system/script/remove", "=numbers=hello");
  expect(await client.rows("/system/script/print")).toEqual([]);
});

test("a script beyond its caller's rights is refused, unless it needs none", async () => {
  await using on = await startRouter({ users: [{ name: "w", password: "p", group: "write" }] });
  await on.client.run("/system/script/add", "=name=s", "=source=:put [/system identity get name]");
  using writer = await RawClient.login(on.router.port("api"), { username: "w", password: "p" });
  expect(trapOf(await writer.run("/system/script/run", "=number=s"))).toBe("not enough permissions (9)");
  expect(trapOf(await writer.run("/system/script/add", "=name=t", "=policy=policy"))).toBe(
    "not enough permissions (9)",
  );
  expect(trapOf(await writer.run("/system/script/set", "=.id=s", "=source=:put x"))).toBe(
    "not enough permissions (9)",
  );
  await on.client.run("/system/script/set", "=.id=s", "=dont-require-permissions=yes");
  expect(await writer.run("/system/script/run", "=number=s")).toEqual([["!done", "=ret=MikroTik"]]);
});

test("global variables outlive a run, are listed, and go when they are removed", async () => {
  await using on = await startRouter();
  await on.script(":global seen 5; :global other");
  expect(await on.script(":global seen; :put ($seen + 1)")).toBe("6\n");
  expect(await on.client.rows("/system/script/environment/print", "?name=seen")).toMatchObject([
    { value: "5" },
  ]);
  await on.client.run("/system/script/environment/remove", "=numbers=seen");
  expect(await on.script(":global seen; :put [:typeof $seen]")).toBe("nothing\n");
  await on.router.control.reboot();
  using after = await RawClient.login(on.router.port("api"));
  expect(await after.rows("/system/script/environment/print")).toEqual([]);
});

test("a script that runs is a job, others continue beside it, and it can be stopped", async () => {
  await using on = await startRouter();
  const { client } = on;
  const [job] = await client.run("/execute", "=script=:delay 1h; /system identity set name=late");
  expect(job?.[1]).toMatch(/^=ret=\*[0-9A-F]+$/);
  const rows = await client.rows("/system/script/job/print");
  expect(rows).toMatchObject([{ owner: "admin", type: "command" }]);
  await client.run("/system/script/job/remove", `=.id=${rows[0]?.[".id"]}`);
  await expect.poll(() => on.router.control.rows("/system/script/job")).toEqual([]);
  await on.router.control.advanceClock(2 * HOUR);
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "MikroTik" }]);
});

test("a command that takes its time leaves the connection to others, and is cancelled by its tag", async () => {
  await using on = await startRouter();
  const { client } = on;
  client.send("/execute", "=script=:delay 1h", "=as-string=", ".tag=slow");
  expect(await client.run("/system/identity/print", ".tag=quick")).toEqual([
    ["!re", ".tag=quick", "=name=MikroTik"],
    ["!done", ".tag=quick"],
  ]);
  client.send("/cancel", "=tag=slow", ".tag=c");
  expect([await client.receive(), await client.receive(), await client.receive()]).toEqual([
    ["!trap", ".tag=slow", "=category=2", "=message=interrupted"],
    ["!done", ".tag=c"],
    ["!done", ".tag=slow"],
  ]);
  await expect.poll(() => on.router.control.rows("/system/script/job")).toEqual([]);
});

test("execute writes its output to a file, or answers it; RouterOS 6 knows no as-string", async () => {
  await using on = await startRouter();
  expect(await on.client.run("/execute", '=script=:put "hello"', "=as-string=")).toEqual([
    ["!done", "=ret=hello\r\n"],
  ]);
  await on.client.run("/execute", "=script=:put out", "=file=result");
  await expect
    .poll(() => on.router.control.rows("/file"))
    .toMatchObject([{ name: "result.txt", contents: "out\n", size: "4" }]);
  expect(trapOf(await on.client.run("/execute", `=script=${"#".repeat(65_537)}`))).toContain("invalid value");
  await using six = await startRouter({ version: "6.49.17" });
  expect(trapOf(await six.client.run("/execute", "=script=:put a", "=as-string="))).toBe("unknown parameter");
});

test("a delay waits for the router's clock", async () => {
  await using on = await startRouter();
  await on.client.run(
    "/execute",
    "=script=:delay 10m; /system identity set name=a; :delay 10m; /system identity set name=b",
  );
  const name = () => on.router.control.rows("/system/identity")[0]?.name;
  await on.router.control.advanceClock(600_000);
  expect(name()).toBe("a");
  await on.router.control.advanceClock(600_000);
  expect(name()).toBe("b");
});
