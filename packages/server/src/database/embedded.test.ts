import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClient } from "./connection.ts";
import { AlreadyRunningError, ClusterMismatchError, startEmbedded } from "./embedded.ts";
import type { Connection } from "./hosts.ts";
import { silentLog } from "./log.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };

/** One cluster for most of this file: making one is the slow part. */
let dataDir: string;
const directories: string[] = [];
const processes: ChildProcess[] = [];

/** The disk's own caches are not what is tested here, and waiting for it would be most of the time. */
const start = (directory = dataDir, more: { signal?: AbortSignal } = {}) =>
  startEmbedded({ dataDir: directory, log: silentLog, settings: { fsync: "off" }, ...more });

beforeAll(async () => {
  dataDir = await temporary();
  await using first = await start();
  await query(first.connection, "create table kept (what text)");
});
afterAll(async () => {
  for (const child of processes) child.kill("SIGKILL");
  for (const directory of directories) {
    // Whatever a failed test left running in it is stopped by a start.
    if (existsSync(join(directory, "postgres/cluster/postmaster.pid"))) await (await start(directory)).stop();
    await rm(directory, { recursive: true, maxRetries: 5 });
  }
});

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "portreeve-embedded-"));
  directories.push(directory);
  return directory;
}

async function query(connection: Connection, statement: string): Promise<pg.QueryResultRow[]> {
  const client = await openClient(connection);
  const { rows } = await client.query(statement).finally(() => client.end());
  return rows;
}

const keep = (connection: Connection, what: string) =>
  query(connection, `insert into kept values ('${what}')`);
const isKept = async (connection: Connection, what: string) =>
  (await query(connection, `select from kept where what = '${what}'`)).length === 1;

const postmaster = async (directory = dataDir) =>
  Number((await readFile(join(directory, "postgres/cluster/postmaster.pid"), "utf8")).split("\n")[0]);

/** A process that has ended stays listed as a zombie until its parent, perhaps a slow init, has asked for it. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** Another Portreeve, started; without setpriv in its PATH its PostgreSQL outlives it, as on a machine that has none. */
async function startProcess(directory: string, { path = "" } = {}) {
  const child = spawnFixture(directory, path);
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, connection: JSON.parse(String(line)) as Connection };
}

function spawnFixture(directory: string, path = "") {
  const fixture = fileURLToPath(new URL("./embedded.fixture.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture, directory], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PATH: path },
  });
  processes.push(child);
  return child;
}

async function killHard(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("it listens on a socket that nobody else may open, and on no network", async () => {
  await using postgres = await start();
  expect(await query(postgres.connection, "show listen_addresses")).toEqual([{ listen_addresses: "" }]);
  const mode = async (path: string) => (await stat(path)).mode & 0o777;
  expect(await mode(postgres.connection.host)).toBe(0o700);
  expect(await mode(join(postgres.connection.host, ".s.PGSQL.5432"))).toBe(0o700);
  expect(await mode(join(dataDir, "postgres"))).toBe(0o700);
});

test("its password is in a private file and in no process's arguments or environment", async () => {
  await using postgres = await start();
  const file = join(dataDir, "postgres/password");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readFile(file, "utf8")).trim()).toBe(postgres.connection.password);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids)
    for (const what of ["cmdline", "environ"]) {
      const text = await readFile(`/proc/${pid}/${what}`, "latin1").catch(() => "");
      expect(text).not.toContain(postgres.connection.password);
    }
});

test("a wrong password is refused", async () => {
  await using postgres = await start();
  await expect(query({ ...postgres.connection, password: "wrong" }, "select 1")).rejects.toMatchObject({
    code: "28P01",
  });
});

test("rows survive a stop and a start, and nothing runs in between", async () => {
  const first = await start();
  await keep(first.connection, "over a stop");
  const pid = await postmaster();
  await first.stop();
  await first.stop();
  expect(isAlive(pid)).toBe(false);
  await using second = await start();
  expect(await isKept(second.connection, "over a stop")).toBe(true);
});

test("after SIGKILL of our process the next start finds the orphan, ends it and loses nothing", async () => {
  const { child, connection } = await startProcess(dataDir);
  await keep(connection, "before the kill");
  const orphan = await postmaster();
  await killHard(child);
  expect(isAlive(orphan)).toBe(true);
  await using postgres = await start();
  expect(isAlive(orphan)).toBe(false);
  expect(await isKept(postgres.connection, "before the kill")).toBe(true);
});

test("an orphan's open connections do not keep the next start waiting", async () => {
  const { child, connection } = await startProcess(dataDir);
  const client = await openClient(connection);
  const sleeping = expect(client.query("select pg_sleep(600)")).rejects.toThrow();
  await killHard(child);
  await using postgres = await start();
  await sleeping;
  await client.end();
  expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("where setpriv is installed PostgreSQL ends with our process, even on SIGKILL", async () => {
  const path = process.env.PATH ?? "";
  const installed = path.split(":").some((directory) => existsSync(join(directory, "setpriv")));
  const { child } = await startProcess(dataDir, { path });
  const pid = await postmaster();
  await killHard(child);
  await expect.poll(() => isAlive(pid), SOON).toBe(!installed);
});

test("a second Portreeve on the same directory is told which process has it", async () => {
  const { child, connection } = await startProcess(dataDir);
  const refused = start();
  await expect(refused).rejects.toThrow(AlreadyRunningError);
  await expect(refused).rejects.toMatchObject({ pid: child.pid });
  await expect(refused).rejects.toThrow(`already running on ${dataDir}, pid ${child.pid}`);
  expect(await query(connection, "select 1 as one")).toEqual([{ one: 1 }]);
  child.stdin?.end();
  await once(child, "exit");
});

test("of two that start together one runs and the other is refused", async () => {
  const starts = await Promise.allSettled([start(), start()]);
  expect(starts.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  for (const outcome of starts)
    if (outcome.status === "fulfilled") await outcome.value.stop();
    else expect(outcome.reason).toBeInstanceOf(AlreadyRunningError);
});

test("SIGKILL of the server itself: it comes back at the same address with everything committed", async () => {
  await using postgres = await start();
  await keep(postgres.connection, "before the crash");
  const pid = await postmaster();
  process.kill(pid, "SIGKILL");
  await expect
    .poll(() => isKept(postgres.connection, "before the crash").catch(() => false), SOON)
    .toBe(true);
  expect(await postmaster()).not.toBe(pid);
});

test("a stop while the server is coming back leaves nothing running", async () => {
  const postgres = await start();
  process.kill(await postmaster(), "SIGKILL");
  await postgres.stop();
  expect(existsSync(join(dataDir, "postgres/cluster/postmaster.pid")) && isAlive(await postmaster())).toBe(
    false,
  );
  await (await start()).stop();
});

test("process ids left in lock files that belong to others now are not signalled and do not stop the start", async () => {
  const elsewhere = await temporary();
  await using other = await start(elsewhere);
  const innocent = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  processes.push(innocent);
  for (const pid of [innocent.pid ?? 0, await postmaster(elsewhere)]) {
    const cluster = join(dataDir, "postgres/cluster");
    await writeFile(join(cluster, "postmaster.pid"), `${pid}\n${cluster}\n0\n5432\n\n\n 1 1\nready\n`);
    await mkdir(join(dataDir, "postgres/run"), { recursive: true });
    await writeFile(join(dataDir, "postgres/run/.s.PGSQL.5432.lock"), `${pid}\n`);
    await using postgres = await start();
    expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(isAlive(pid)).toBe(true);
  }
  expect(await query(other.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  await killHard(innocent);
});

test("SIGKILL during the first start leaves nothing that hinders the next", async () => {
  const fresh = await temporary();
  const child = spawnFixture(fresh);
  const entries = () => readdir(join(fresh, "postgres")).catch(() => []);
  await expect.poll(entries, SOON).toContainEqual(expect.stringMatching(/^cluster\.new-/));
  await killHard(child);
  expect(await entries()).not.toContain("cluster");
  await using postgres = await start(fresh);
  expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  expect((await entries()).sort()).toEqual(["cluster", "password", "run"]);
});

test("a start given up by its signal leaves nothing running and can be repeated", async () => {
  await expect(start(dataDir, { signal: AbortSignal.abort(new Error("given up")) })).rejects.toThrow(
    "given up",
  );
  await using postgres = await start();
  expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a relative data directory is taken from where we are", async () => {
  await using postgres = await start(relative(process.cwd(), dataDir));
  expect(postgres.connection.host).toBe(join(dataDir, "postgres/run"));
});

test("another PostgreSQL version's cluster is refused and left as it is", async () => {
  const old = await temporary();
  const version = join(old, "postgres/cluster/PG_VERSION");
  await mkdir(join(old, "postgres/cluster"), { recursive: true });
  await writeFile(version, "17\n");
  const refused = start(old);
  await expect(refused).rejects.toThrow(ClusterMismatchError);
  await expect(refused).rejects.toThrow(/made by PostgreSQL 17, this Portreeve carries PostgreSQL 18/);
  expect(await readFile(version, "utf8")).toBe("17\n");
});

test("a cluster whose password file is gone is refused, not given a new password", async () => {
  const lost = await temporary();
  await mkdir(join(lost, "postgres/cluster"), { recursive: true });
  await writeFile(join(lost, "postgres/cluster/PG_VERSION"), "18\n");
  await expect(start(lost)).rejects.toThrow(/password in .* is missing/);
});

test("below a path too long for a socket the socket lives in a directory under /tmp that goes with it", async () => {
  const deep = join(await temporary(), "d".repeat(60), "e".repeat(60));
  const postgres = await start(deep);
  const { host } = postgres.connection;
  expect(host.startsWith(tmpdir())).toBe(true);
  expect((await stat(host)).mode & 0o777).toBe(0o700);
  expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  await postgres.stop();
  expect(existsSync(host)).toBe(false);
});

test("settings it cannot start with are told in its own words", async () => {
  const refused = startEmbedded({ dataDir, log: silentLog, settings: { shared_buffers: "nonsense" } });
  await expect(refused).rejects.toThrow(/invalid value for parameter "shared_buffers"/);
  await (await start()).stop();
});
