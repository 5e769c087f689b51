import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Config, loadConfig } from "../config.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { createLogger } from "../kernel/log.ts";
import { type SupervisedServer, supervise } from "./index.ts";
import { endLeftovers, markOf } from "./leftovers.ts";

const TOKEN = "a-token-of-the-operators-own-choice-long-enough";

let resources: AsyncDisposableStack;
let testDatabase: TestDatabase;
let dataDir: string;
let logPath: string;

beforeEach(async () => {
  resources = new AsyncDisposableStack();
  dataDir = await mkdtemp(join(tmpdir(), "portreeve-supervisor-"));
  resources.defer(() => rm(dataDir, { recursive: true }));
  resources.defer(() => rm(`${dataDir}-state`, { recursive: true, force: true }));
  testDatabase = resources.use(await createTestDatabase());
  logPath = join(dataDir, "log");
});
afterEach(() => resources.disposeAsync());

function configOf(more: Record<string, string> = {}): Config {
  return loadConfig({
    PORTREEVE_HTTP: "127.0.0.1:0",
    PORTREEVE_DATA_DIR: dataDir,
    DATABASE_URL: testDatabase.connectionString,
    PORTREEVE_BOOTSTRAP_TOKEN: TOKEN,
    PORTREEVE_GATEWAY_PORTS: "20000-29999",
    PORTREEVE_EXPOSURE_HOURS: "0",
    ...more,
  });
}

async function start(config: Config, log = createLogger("silent")): Promise<SupervisedServer> {
  const file = resources.use(await open(logPath, "a"));
  return resources.use(await supervise(config, log, file.fd));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

const readiness = async (url: string | undefined) => (await fetch(`${url}/readyz`)).json();
const isAlive = async (pid: number) => (await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")) !== "";

test("each role has a process of its own, and the API speaks for all of them", async () => {
  const server = await start(configOf());
  const pids = Object.values(server.pids());
  expect(new Set([...pids, process.pid]).size).toBe(4);
  expect(await readiness(server.url)).toEqual({ status: "ready" });
});

test("a role that is killed is started again; meanwhile /readyz says which one is missing", async () => {
  const server = await start(configOf());
  const { reconciler = 0 } = server.pids();
  process.kill(reconciler, "SIGKILL");
  await expect
    .poll(() => readiness(server.url), { interval: 5 })
    .toMatchObject({
      errors: { reconciler: ["is being started again"] },
    });
  await expect.poll(() => readiness(server.url), { timeout: 15_000 }).toEqual({ status: "ready" });
  expect(server.pids().reconciler).not.toBe(reconciler);
});

test("the host's own listener tells how every role is", async () => {
  const port = await freePort();
  const server = await start(configOf({ PORTREEVE_METRICS: `127.0.0.1:${port}` }));
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  expect(JSON.parse(await get("/readyz"))).toEqual({ status: "ready" });
  expect(await get("/metrics")).toMatch(/^portreeve_role_up\{role="gateway"\} 1$/m);
  process.kill(server.pids().gateway ?? 0, "SIGKILL");
  const metrics = () => get("/metrics");
  await expect.poll(metrics).toMatch(/^portreeve_role_restarts_total\{role="gateway"\} 1$/m);
  expect(JSON.parse(await get("/healthz"))).toEqual({ status: "ok" });
});

test("stopping ends every process", async () => {
  const server = await start(configOf());
  const pids = Object.values(server.pids());
  await server[Symbol.asyncDispose]();
  for (const pid of pids) expect(await isAlive(pid ?? 0)).toBe(false);
});

test("roles that are told to end together with their supervisor are not started again", async () => {
  const lines: string[] = [];
  const server = await start(configOf(), createLogger("info", { write: (line) => void lines.push(line) }));
  const stopping = server[Symbol.asyncDispose]();
  for (const pid of Object.values(server.pids())) process.kill(pid ?? 0, "SIGTERM");
  await stopping;
  expect(lines.join("")).not.toContain("starting it again");
});

test("a setting that keeps one role from working fails the start, and nothing is left running", async () => {
  const held = await start(configOf());
  const port = new URL(held.url ?? "").port;
  const other = join(dataDir, "other");
  const taken = {
    PORTREEVE_HTTP: `127.0.0.1:${port}`,
    PORTREEVE_DATA_DIR: other,
    PORTREEVE_GATEWAY_NAME: "other",
  };
  await expect(start(configOf(taken))).rejects.toMatchObject({ code: "EADDRINUSE", syscall: "listen" });
  expect(await endLeftovers(await markOf(other))).toBe(0);
});

test("a role that an earlier start left stopped, and so alive, is ended by the next one", async () => {
  const mark = await markOf(dataDir);
  const left = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", mark], { stdio: "ignore" });
  await once(left, "spawn");
  left.kill("SIGSTOP");
  const ended = once(left, "exit");
  await start(configOf());
  expect(await ended).toEqual([null, "SIGKILL"]);
});

test("two supervisors can't work with one data directory", async () => {
  await start(configOf());
  await expect(start(configOf())).rejects.toThrow(/already running on .*, pid \d+/);
});

test("no secret stands in the arguments or the environment of a role's process", async () => {
  const server = await start(configOf());
  for (const pid of Object.values(server.pids())) {
    for (const file of ["cmdline", "environ"]) {
      const text = await readFile(`/proc/${pid}/${file}`, "utf8");
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(new URL(testDatabase.connectionString).password || "no password");
    }
  }
});
