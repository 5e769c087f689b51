import { expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";
import { startRouter, trapOf } from "./testing/scripts.ts";

const start = () => startRouter({ version: "7.18" });
const identity = (on: Awaited<ReturnType<typeof start>>) =>
  on.router.control.rows("/system/identity")[0]?.name;

test("a dropped connection takes back what was changed in safe mode, by whomever", async () => {
  await using on = await start();
  await on.client.run("/user/add", "=name=before", "=group=read", "=password=p");
  const other = await RawClient.login(on.router.port("api"));
  await other.run("/safe-mode/take");
  await other.run("/system/identity/set", "=name=changed");
  await on.client.run("/user/remove", "=numbers=before");
  await on.client.run("/user/add", "=name=after", "=group=read", "=password=p");
  other.close();
  await expect.poll(() => identity(on)).toBe("MikroTik");
  expect(on.router.control.rows("/user").map(({ name }) => name)).toEqual(["admin", "before"]);
});

test("released changes stay, unrolled ones go, and listeners follow", async () => {
  await using on = await start();
  const { client, router } = on;
  await client.run("/safe-mode/take");
  expect(await client.run("/safe-mode/get")).toEqual([["!done", "=ret=true"]]);
  await client.run("/ip/service/set", "=.id=ssh", "=disabled=yes");
  expect(await client.run("/safe-mode/unroll")).toEqual([["!done"]]);
  using ssh = await RawClient.open(router.port("ssh"));
  ssh.close();
  await client.run("/safe-mode/take");
  await client.run("/system/identity/set", "=name=kept");
  await client.run("/safe-mode/release");
  client.close();
  await expect.poll(() => router.control.sessions()).toEqual([]);
  expect(identity(on)).toBe("kept");
});

test("safe mode is one session's, and ends without taking back after too many changes", async () => {
  await using on = await start();
  using other = await RawClient.login(on.router.port("api"));
  await other.run("/safe-mode/take");
  expect(trapOf(await on.client.run("/safe-mode/take"))).toBe("failure: safe mode is already taken");
  expect(trapOf(await on.client.run("/safe-mode/unroll"))).toContain("not taken by this session");
  await on.script(':for i from=1 to=101 do={ /system identity set name="n$i" }');
  expect(trapOf(await other.run("/safe-mode/unroll"))).toContain("not taken by this session");
  expect(identity(on)).toBe("n101");
});

test("an entry of the scheduler that safe mode takes back doesn't run", async () => {
  await using on = await start();
  await on.client.run("/safe-mode/take");
  await on.client.run(
    "/system/scheduler/add",
    "=name=t",
    "=interval=1m",
    "=on-event=/system identity set name=ran",
  );
  await on.client.run("/safe-mode/unroll");
  await on.router.control.advanceClock(600_000);
  expect(identity(on)).toBe("MikroTik");
});
