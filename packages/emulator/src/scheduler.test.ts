import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startRouter, trapOf } from "./testing/scripts.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const COUNT = '=on-event=:global n; :if ([:typeof $n] = "nothing") do={ :set n 0 }; :set n ($n + 1)';

type Router = Awaited<ReturnType<typeof startRouter>>;

const counted = (on: Router) =>
  on.router.control.rows("/system/script/environment").find(({ name }) => name === "n")?.value ?? "0";
const entry = async (on: Router, name = "t") =>
  (await on.client.rows("/system/scheduler/print", `?name=${name}`))[0];

/** Without the time of day: that is the machine's. */
const timeOf = (row: Record<string, string> | undefined) =>
  Date.parse(`${row?.["next-run"]?.replace(" ", "T")}Z`);

test("an entry runs at each interval of the router's clock, and says when next", async () => {
  await using on = await startRouter();
  await on.client.run("/system/scheduler/add", "=name=t", "=interval=10m", COUNT);
  await on.router.control.advanceClock(9 * MINUTE);
  expect(counted(on)).toBe("0");
  await on.router.control.advanceClock(MINUTE);
  expect(counted(on)).toBe("1");
  const before = timeOf(await entry(on));
  await on.router.control.advanceClock(60 * MINUTE);
  expect(counted(on)).toBe("7");
  expect(await entry(on)).toMatchObject({ "run-count": "7", owner: "admin", interval: "10m" });
  expect(timeOf(await entry(on)) - before).toBe(60 * MINUTE);
});

test("an entry without an interval runs once, at its time, and never for a time gone by", async () => {
  await using on = await startRouter();
  await on.client.run(
    "/system/scheduler/add",
    "=name=t",
    "=start-date=2100-01-02",
    "=start-time=03:00:00",
    COUNT,
  );
  expect((await entry(on))?.["next-run"]).toBe("2100-01-02 03:00:00");
  await on.router.control.advanceClock(Date.UTC(2100, 0, 2, 3) - Date.now() + DAY);
  expect(counted(on)).toBe("1");
  expect((await entry(on))?.["next-run"]).toBeUndefined();
  await on.client.run(
    "/system/scheduler/add",
    "=name=past",
    "=start-date=2000-01-02",
    "=start-time=03:00:00",
    COUNT,
  );
  await on.router.control.advanceClock(DAY);
  expect(counted(on)).toBe("1");
});

test("startup runs three seconds after a start; with an interval, one interval later instead", async () => {
  await using on = await startRouter();
  await on.client.run("/system/scheduler/add", "=name=t", "=start-time=startup", COUNT);
  await on.router.control.advanceClock(DAY);
  expect(counted(on)).toBe("0");
  await on.router.control.reboot();
  await on.router.control.advanceClock(3000);
  expect(counted(on)).toBe("1");
  await on.router.control.setRow("/system/scheduler", "t", { interval: "1h" });
  await on.router.control.reboot();
  await on.router.control.advanceClock(30 * MINUTE);
  expect(counted(on)).toBe("0");
  await on.router.control.advanceClock(31 * MINUTE);
  expect(counted(on)).toBe("1");
});

test("a disabled or removed entry doesn't run; a new comment doesn't start its time anew", async () => {
  await using on = await startRouter();
  await on.client.run("/system/scheduler/add", "=name=t", "=interval=10m", COUNT);
  await on.router.control.advanceClock(9 * MINUTE);
  await on.client.run("/system/scheduler/set", "=.id=t", "=comment=dead man");
  await on.router.control.advanceClock(MINUTE);
  expect(counted(on)).toBe("1");
  await on.client.run("/system/scheduler/disable", "=numbers=t");
  await on.router.control.advanceClock(60 * MINUTE);
  expect(counted(on)).toBe("1");
  await on.client.run("/system/scheduler/enable", "=numbers=t");
  await on.client.run("/system/scheduler/remove", "=numbers=t");
  await on.router.control.advanceClock(60 * MINUTE);
  expect(counted(on)).toBe("1");
});

test("a dead man undoes a change unless it is removed in time", async () => {
  await using on = await startRouter();
  const dead = "=on-event=/ip service set telnet disabled=no; /system scheduler remove dead";
  await on.client.run("/system/scheduler/add", "=name=dead", "=interval=5m", dead);
  await on.client.run("/ip/service/set", "=.id=telnet", "=disabled=yes");
  await on.router.control.advanceClock(5 * MINUTE);
  const telnet = on.router.control.rows("/ip/service").find(({ name }) => name === "telnet");
  expect(telnet?.disabled).toBe("false");
  expect(await on.client.rows("/system/scheduler/print")).toEqual([]);
});

test("an entry runs a script by its name with its own rights, and logs what it may not", async () => {
  await using on = await startRouter();
  await on.client.run("/system/script/add", "=name=s", "=source=:global n 9");
  await on.client.run("/system/scheduler/add", "=name=t", "=interval=1m", "=on-event=s");
  await on.client.run("/system/scheduler/add", "=name=weak", "=interval=1m", "=on-event=s", "=policy=read");
  await on.client.run(
    "/system/scheduler/add",
    "=name=reader",
    "=interval=1m",
    "=policy=read",
    "=on-event=/system identity set name=x",
  );
  await on.router.control.advanceClock(MINUTE);
  expect(counted(on)).toBe("9");
  const errors = on.router.control.rows("/log").filter(({ topics }) => topics?.startsWith("script,error"));
  expect(errors.map(({ topics, message }) => `${topics} ${message}`).toSorted()).toEqual([
    "script,error executing script reader",
    "script,error executing script weak",
    "script,error,debug (scheduler:reader) not enough permissions (9)",
    "script,error,debug (scheduler:weak) not enough permissions (9)",
  ]);
});

test("device-mode home allows neither new entries nor old ones, and no fetch", async () => {
  await using on = await startRouter({ version: "7.22.1" });
  await on.client.run("/system/scheduler/add", "=name=t", "=interval=1m", COUNT);
  on.router.control.setDeviceMode("home");
  await on.router.control.advanceClock(10 * MINUTE);
  expect(counted(on)).toBe("0");
  const added = await on.client.run("/system/scheduler/add", "=name=u");
  expect(trapOf(added)).toBe("failure: not allowed by device-mode");
  expect(await on.script("/tool/fetch url=http://127.0.0.1:1/ output=none")).toBe(
    "trap: failure: not allowed by device-mode (/tool/fetch; line 1)",
  );
  expect(await on.client.rows("/system/device-mode/print")).toMatchObject([{ mode: "home", fetch: "false" }]);
});

test("days keep an entry to their days, from 7.24", async () => {
  await using on = await startRouter({ version: "7.24" });
  const start = ["=start-date=2100-01-01", "=start-time=12:00:00"];
  await on.client.run("/system/scheduler/add", "=name=t", ...start, "=days=mon,wed", COUNT);
  // The first of January 2100 is a Friday.
  expect((await entry(on))?.["next-run"]).toBe("2100-01-04 12:00:00");
  // Each day starts again at its time and repeats until it ends.
  await on.client.run("/system/scheduler/set", "=.id=t", "=interval=5h", "=days=mon");
  on.router.control.setClock(new Date("2100-01-04T17:00:00Z"));
  expect((await entry(on))?.["next-run"]).toBe("2100-01-04 22:00:00");
  await on.router.control.advanceClock(5 * 60 * MINUTE);
  expect((await entry(on))?.["next-run"]).toBe("2100-01-11 12:00:00");
  for (const never of ["=days=never", "=interval=1d"]) {
    await on.client.run("/system/scheduler/set", "=.id=t", "=days=always", "=interval=0s");
    expect((await entry(on))?.["next-run"]).toBe("2100-01-05 12:00:00");
    await on.client.run("/system/scheduler/set", "=.id=t", never);
    expect((await entry(on))?.["next-run"]).toBeUndefined();
  }
  await using older = await startRouter({ version: "7.23" });
  expect(trapOf(await older.client.run("/system/scheduler/add", "=name=t", "=days=mon"))).toBe(
    "unknown parameter days",
  );
});

test("scripts, entries and files are as they were after a restart", async () => {
  const stateFile = join(tmpdir(), `scheduler-${process.pid}.json`);
  try {
    {
      await using on = await startRouter({ stateFile });
      await on.client.run("/system/script/add", "=name=s", "=source=:global n 3");
      await on.client.run("/system/scheduler/add", "=name=t", "=start-time=startup", "=on-event=s");
      await on.client.run("/file/add", "=name=a.txt", "=contents=kept");
    }
    await using again = await startRouter({ stateFile });
    await again.router.control.advanceClock(3000);
    expect(counted(again)).toBe("3");
    expect(again.router.control.rows("/file")).toMatchObject([{ name: "a.txt", contents: "kept" }]);
  } finally {
    rmSync(stateFile, { force: true });
  }
});

test.each(["6.49.17", "7.16", "7.24"])(
  "an entry with an interval alone runs one interval later in %s, and continues after a reboot",
  async (version) => {
    await using on = await startRouter({ version });
    await on.client.run("/system/scheduler/add", "=name=t", "=interval=2m", COUNT);
    await on.router.control.advanceClock(2 * MINUTE);
    expect(counted(on)).toBe("1");
    await on.router.control.reboot();
    await on.router.control.advanceClock(2 * MINUTE);
    expect(counted(on)).toBe("1");
    expect(on.router.control.rows("/system/scheduler")[0]?.["run-count"]).toBe("1");
  },
);

test("back in 1970, an entry waits for the time it was added; one from startup on doesn't", async () => {
  await using on = await startRouter();
  await on.client.run("/system/scheduler/add", "=name=added", "=interval=2m", COUNT);
  const again = ':global m; :set m ($m . "x")';
  await on.client.run(
    "/system/scheduler/add",
    "=name=startup",
    "=start-time=startup",
    "=interval=2m",
    `=on-event=${again}`,
  );
  await on.router.control.reboot({ clock: new Date("1970-01-02T00:00:00Z") });
  expect(on.router.control.rows("/system/clock")).toMatchObject([{ date: "1970-01-02" }]);
  await on.router.control.advanceClock(5 * MINUTE);
  expect(counted(on)).toBe("0");
  const runs = () => on.router.control.rows("/system/script/environment").find(({ name }) => name === "m");
  expect(runs()?.value).toBe("xx");
  // NTP brings the time back: the rhythm of the one is that of its start again, the other keeps its own.
  on.router.control.setClock(new Date());
  await on.router.control.advanceClock(2 * MINUTE);
  expect([counted(on), runs()?.value]).toEqual(["1", "xxx"]);
});

test("setting the clock moves schedules; timeouts, delays and the uptime run on", async () => {
  await using on = await startRouter();
  const { client, router } = on;
  await client.run("/ip/firewall/address-list/add", "=list=l", "=address=192.0.2.1", "=timeout=10m");
  await client.run(
    "/system/scheduler/add",
    "=name=t",
    "=start-date=2031-01-01",
    "=start-time=00:00:00",
    COUNT,
  );
  expect(await client.run("/system/clock/set", "=date=2030-12-31", "=time=23:58:00")).toEqual([["!done"]]);
  expect(router.control.rows("/ip/firewall/address-list")).toMatchObject([{ timeout: "10m" }]);
  expect(router.control.rows("/system/resource")[0]?.uptime).toMatch(/^\ds$/);
  await router.control.advanceClock(3 * MINUTE);
  expect(counted(on)).toBe("1");
  expect(router.control.rows("/system/resource")[0]?.uptime).toMatch(/^3m(\ds)?$/);
  expect(trapOf(await client.run("/system/clock/set", "=time=25:00:00"))).toBe(
    "invalid value for argument time",
  );
});

test("a script continues after it has removed its own entry, and isn't run again", async () => {
  await using on = await startRouter();
  const event = "/system scheduler remove once; :delay 1s; :global n 7";
  await on.client.run("/system/scheduler/add", "=name=once", "=interval=1m", `=on-event=${event}`);
  await on.router.control.advanceClock(MINUTE);
  await on.router.control.advanceClock(MINUTE);
  expect(on.router.control.rows("/system/scheduler")).toEqual([]);
  expect(counted(on)).toBe("7");
  expect(on.router.control.rows("/log").filter(({ topics }) => topics === "script,error")).toEqual([]);
});
