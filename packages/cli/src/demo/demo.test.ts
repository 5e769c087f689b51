import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliProcess, GATEWAY_PORTS, runCli, temporaryDirectory } from "../testing.ts";

const missing = ["bash", "curl", "ssh"].filter((tool) => spawnSync("which", [tool]).status !== 0);
const SITES = ["tower-ridge", "core-harbour", "cpe-mill-lane"];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let demo: CliProcess;

const dataDir = () => join(directory.path, "data");
const startDemo = () =>
  new CliProcess(["demo"], {
    PORTREEVE_HTTP: "127.0.0.1:0",
    PORTREEVE_DATA_DIR: dataDir(),
    PORTREEVE_GATEWAY_PORTS: GATEWAY_PORTS,
  });
const shown = async (pattern: RegExp) => (await demo.shows(pattern))[1] ?? "";
const url = () => shown(/^API {5}(http:\S+)\/v1 /m);
const token = () => shown(/^Token {3}(\S+)/m);
const idOf = (site: string) => shown(new RegExp(`^${site} .* (\\S+)$`, "m"));

/** The commands below a heading, as they are printed. */
async function printed(heading: RegExp): Promise<string> {
  await demo.shows(/^Ctrl-C/m);
  const lines = demo.stdout.split("\n");
  const start = lines.findIndex((line) => heading.test(line));
  expect(start).toBeGreaterThan(-1);
  return lines.slice(start + 1, lines.indexOf("", start)).join("\n");
}

const client = async (...words: string[]) =>
  runCli(words, { PORTREEVE_URL: await url(), PORTREEVE_TOKEN: await token() });

beforeAll(async () => {
  directory = await temporaryDirectory();
  demo = startDemo();
  await demo.shows(/^Ctrl-C/m);
});

afterAll(async () => {
  await demo[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

test("three routers of different RouterOS versions are adopted, online and as they should be", async () => {
  const { stdout } = await client("sites", "list", "--json");
  const sites: { name: string; status: string; version: string; sync: { state: string } }[] =
    JSON.parse(stdout);

  const state = sites.map(({ name, status, version, sync }) => [
    name,
    status,
    version.split(" ")[0],
    sync.state,
  ]);
  expect(state.sort()).toEqual([
    ["core-harbour", "online", "7.16", "in_sync"],
    ["cpe-mill-lane", "online", "7.24", "in_sync"],
    ["tower-ridge", "online", "6.49", "in_sync"],
  ]);
  for (const site of SITES) expect(stdout).toContain(await idOf(site));
});

test("the token opens the API and is kept for its owner alone", async () => {
  const kept = join(dataDir(), "demo-token");

  expect((await readFile(kept, "utf8")).trim()).toBe(await token());
  expect((await stat(kept)).mode & 0o777).toBe(0o600);
  expect((await fetch(`${await url()}/v1/sites`)).status).toBe(401);
});

/** A shell with the printed function and the password typed by a program, as ssh asks for one. */
async function shell(): Promise<{ readonly environment: NodeJS.ProcessEnv; readonly passwordFile: string }> {
  const passwordFile = join(directory.path, "typed");
  const askPass = join(directory.path, "ask-pass");
  await writeFile(askPass, `#!/bin/sh\ncat '${passwordFile}'\n`);
  await chmod(askPass, 0o700);
  const environment = {
    ...process.env,
    HOME: directory.path,
    SSH_ASKPASS: askPass,
    SSH_ASKPASS_REQUIRE: "force",
  };
  return { environment, passwordFile };
}

/** Resolves once the process has written it. */
async function writes(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  while (!pattern.test(output)) {
    const ended = once(child, "close").then(() => Promise.reject(new Error(`ended after: ${output}`)));
    await Promise.race([once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data"), ended]);
  }
  return output;
}

test.skipIf(missing.length > 0)(
  `the commands it prints work as they stand${missing.length > 0 ? ` (skipped: no ${missing.join(", ")})` : ""}`,
  async () => {
    const bash = promisify(execFile);
    const { environment, passwordFile } = await shell();
    const options = { env: environment };

    const { stdout } = await bash("bash", ["-c", await printed(/^# Open SSH on tower-ridge/)], options);
    const access = JSON.parse(stdout);
    expect(access).toMatchObject({ type: "ssh", allow_only_ip: "127.0.0.1", entry_point: "localhost" });
    await writeFile(passwordFile, access.password);
    const known = { env: { ...environment, ACCESS: stdout.trim() } };
    const logIn = await printed(/^# Log in/);

    const session = spawn("bash", ["-c", logIn], known);
    session.stdin.write("/system identity print\n");
    await writes(session, /name: tower-ridge/);

    const revoke = `${logIn.split("\n")[0]}\n${await printed(/^# Close the access/)}`;
    const ended = once(session, "close");
    await bash("bash", ["-c", revoke], known);
    expect(await ended).toEqual([255, null]); // ssh lost its connection
    await expect(bash("bash", ["-c", logIn], known)).rejects.toThrow();
    const grant = await client("access", "list", "tower-ridge", "--all", "--json");
    expect(JSON.parse(grant.stdout)).toMatchObject([{ id: access.id, revoked_early: true }]);
  },
);

test("after a restart token, sites, policy and routers are what they were", async () => {
  const before = { token: await token(), ids: await Promise.all(SITES.map(idOf)) };
  const policy = join(directory.path, "policy.json");
  const { stdout } = await client("policies", "show", "Default Policy", "--json");
  const changed = JSON.parse(stdout);
  changed.telnet = { enabled: true, port: 2323, networks: ["10.0.0.0/8"] };
  await writeFile(policy, JSON.stringify(changed));
  expect(await client("policies", "update", "Default Policy", "-f", policy)).toMatchObject({ code: 0 });

  demo.signal("SIGINT");
  expect(await demo.finished()).toMatchObject({ code: 0 });
  demo = startDemo();

  expect({ token: await token(), ids: await Promise.all(SITES.map(idOf)) }).toEqual(before);
  const services = await client("policies", "show", "Default Policy");
  expect(services.stdout).toMatch(/^telnet +open +2323 +127\.0\.0\.1\/32, 10\.0\.0\.0\/8$/m);
  const plan = await client("sites", "plan", "core-harbour");
  expect(plan.stdout).toMatch(/^Nothing to change: the router is as it should be\.\n/);
}, 120_000); // two starts of server and routers

test("a data directory that a server without the demo's token has used is refused in one line", async () => {
  await using other = await temporaryDirectory();
  const environment = { PORTREEVE_HTTP: "127.0.0.1:0", PORTREEVE_DATA_DIR: join(other.path, "data") };
  const server = new CliProcess(["serve"], environment);
  await server.shows(/^Token/m);
  server.signal("SIGTERM");
  await server.finished();

  const { code, stderr } = await runCli(["demo"], environment);

  expect(stderr).toMatch(/^portreeve: PORTREEVE_DATA_DIR: [^\n]*not begun as a demo[^\n]*\n$/m);
  expect(code).toBe(1);
});
