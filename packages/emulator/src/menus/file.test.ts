import { expect, test } from "vitest";
import { startRouter, trapOf } from "../testing/scripts.ts";

test("a file is added, printed with its size and type, changed and removed", async () => {
  await using on = await startRouter();
  const { client } = on;
  await client.run("/file/add", "=name=/a.rsc", "=contents=:put 1");
  expect(await client.rows("/file/print")).toMatchObject([
    { name: "a.rsc", type: "script", size: "6", contents: ":put 1" },
  ]);
  expect(await client.run("/file/get", "=number=a.rsc", "=value-name=contents")).toEqual([
    ["!done", "=ret=:put 1"],
  ]);
  await client.run("/file/set", "=.id=a.rsc", "=contents=é");
  expect(await client.rows("/file/print")).toMatchObject([{ size: "2", contents: "é" }]);
  expect(trapOf(await client.run("/file/add", "=name=a.rsc"))).toBe("failure: already have such name");
  await client.run("/file/remove", "=numbers=a.rsc");
  expect(await client.rows("/file/print")).toEqual([]);
});

test("contents of a long file have no value, and are read in chunks", async () => {
  await using on = await startRouter({ version: "7.20" });
  const { client } = on;
  await client.run("/file/add", "=name=long.txt", `=contents=${"0123456789".repeat(7000)}`);
  expect((await client.rows("/file/print"))[0]).not.toHaveProperty("contents");
  const read = (...words: string[]) => client.run("/file/read", "=file=long.txt", ...words);
  expect(await read("=offset=69995", "=chunk-size=100")).toEqual([["!re", "=data=56789"], ["!done"]]);
  expect(trapOf(await read("=offset=70001"))).toBe("failure: chunk out of file bounds");
  expect(trapOf(await read("=chunk-size=32769"))).toBe("value out of range (1..32768)");
  expect(await on.script(':put ([/file/read file=long.txt offset=2 chunk-size=3 as-value]->"data")')).toBe(
    "234\n",
  );
});

test("RouterOS 6 makes a file by printing into it", async () => {
  await using on = await startRouter({ version: "6.49.17" });
  const { client } = on;
  expect(trapOf(await client.run("/file/add", "=name=x"))).toBe("no such command");
  await client.run("/file/print", "=file=x");
  await client.run("/file/set", "=.id=x.txt", "=contents=");
  expect((await client.rows("/file/print"))[0]).toMatchObject({ name: "x.txt", size: "0", contents: "" });
});

test("where there is a flash directory, only what is in it survives a reboot", async () => {
  await using on = await startRouter();
  await on.client.run("/file/add", "=name=flash", "=type=directory");
  await on.client.run("/file/add", "=name=flash/kept.txt", "=contents=a");
  await on.client.run("/file/add", "=name=lost.txt", "=contents=a");
  await on.router.control.reboot();
  expect(on.router.control.rows("/file").map(({ name }) => name)).toEqual(["flash", "flash/kept.txt"]);
});

test("a backup is a file", async () => {
  await using on = await startRouter();
  expect(await on.client.run("/system/backup/save", "=name=before", "=dont-encrypt=yes")).toEqual([
    ["!done"],
  ]);
  const [file] = on.router.control.rows("/file");
  expect(file).toMatchObject({ name: "before.backup", type: "backup" });
  expect(file?.contents).not.toContain("admin");
});

test("the clock tells the router's time", async () => {
  await using on = await startRouter();
  await on.router.control.advanceClock(400 * 86_400_000);
  const [clock] = await on.client.rows("/system/clock/print");
  expect(Date.parse(`${clock?.date}T${clock?.time}Z`) - Date.now()).toBeGreaterThan(399 * 86_400_000);
});

test("a user changes its own password with the old one", async () => {
  await using on = await startRouter({ password: "old" });
  const change = (old: string, fresh: string, again = fresh) =>
    on.client.run(
      "/password",
      `=old-password=${old}`,
      `=new-password=${fresh}`,
      `=confirm-new-password=${again}`,
    );
  expect(trapOf(await change("wrong", "new"))).toBe("action failed (6)");
  expect(trapOf(await change("old", "new", "other"))).toBe("action failed (6)");
  expect(await change("old", "new")).toEqual([["!done"]]);
  expect(on.router.control.wouldAuthenticate("admin", "new", "127.0.0.1")).toBe(true);
  expect(JSON.stringify(on.router.control.transcript())).not.toContain("confirm-new-password=new");
});
