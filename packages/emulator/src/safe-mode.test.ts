import type { Socket } from "node:net";
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
  expect(await client.run("/safe-mode/get", "=value-name=user")).toEqual([["!done", "=ret=admin"]]);
  expect(await client.rows("/safe-mode/print")).toEqual([
    { enabled: "true", user: "admin", current: "true", owner: "admin" },
  ]);
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

test("safe mode seen by another session is not its own", async () => {
  await using on = await start();
  using other = await RawClient.login(on.router.port("api"));
  expect(await other.rows("/safe-mode/print")).toEqual([{ enabled: "false", current: "false" }]);
  await on.client.run("/safe-mode/take");
  expect(await other.rows("/safe-mode/print")).toMatchObject([{ enabled: "true", current: "false" }]);
});

test("what a reset connection leaves in safe mode is taken back, rules of the firewall in their order", async () => {
  await using on = await start();
  const ids = [];
  for (const comment of ["a", "b"]) {
    const [done] = await on.client.run("/ip/firewall/filter/add", "=chain=forward", `=comment=${comment}`);
    ids.push(done?.[1]?.slice("=ret=".length));
  }
  const holder = await RawClient.login(on.router.port("api"));
  await holder.run("/safe-mode/take");
  await holder.run("/ip/firewall/filter/move", `=numbers=${ids[1]}`, `=destination=${ids[0]}`);
  await holder.run("/ip/firewall/filter/add", "=chain=forward", "=comment=c", `=place-before=${ids[1]}`);
  await holder.run("/ip/firewall/filter/set", `=.id=${ids[0]}`, "=disabled=yes");
  const rules = () =>
    on.router.control.rows("/ip/firewall/filter").map((row) => `${row.comment} ${row.disabled}`);
  expect(rules()).toEqual(["c false", "b false", "a true"]);
  (holder.socket as Socket).resetAndDestroy();
  await expect.poll(rules).toEqual(["a false", "b false"]);
});
