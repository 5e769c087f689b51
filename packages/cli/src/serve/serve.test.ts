import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliProcess, runCli, temporaryDirectory } from "../testing.ts";

/** One line, no stack, exit code 1. */
function expectOneLine(result: { code: number | null; stderr: string }, line: RegExp): void {
  expect(result.stderr).toMatch(/^portreeve: [^\n]+\n$/);
  expect(result.stderr).toMatch(line);
  expect(result.code).toBe(1);
}

test("the first start prints the token, later ones don't, and a signal stops the server in order", async () => {
  await using directory = await temporaryDirectory();
  const environment = { PORTREEVE_HTTP: "127.0.0.1:0", PORTREEVE_DATA_DIR: join(directory.path, "data") };

  await using first = new CliProcess(["serve"], environment);
  const [, url = ""] = await first.shows(/^Portal {2}(http:\S+)\/\n/m);
  const [, token = ""] = await first.shows(/^Token {3}(\S+)\n[^\n]*only this once/m);
  const sites = () => fetch(`${url}/v1/sites`, { headers: { authorization: `Bearer ${token}` } });
  expect((await sites()).status).toBe(200);
  first.signal("SIGTERM");
  expect(await first.finished()).toMatchObject({ code: 0, stderr: expect.not.stringContaining(token) });
  await expect(sites()).rejects.toThrow();
  // Standard error is the log: one JSON object per line.
  for (const line of first.stderr.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");

  await using second = new CliProcess(["serve", "--log-level", "silent"], environment);
  await second.shows(/^API .*\n/m);
  second.signal("SIGINT");
  expect(await second.finished()).toMatchObject({ code: 0, stderr: "" });
  expect(second.stdout).not.toContain("Token");
});

test("a setting that can't be used is one line that names it", async () => {
  expectOneLine(
    await runCli(["serve", "--http", "here"]),
    /PORTREEVE_HTTP: must be address:port, for example/,
  );
  expectOneLine(
    await runCli(["serve"], { PORTREEVE_ROLES: "porter" }),
    /PORTREEVE_ROLES: must be all, or some of/,
  );
});

test("several settings that can't be used are named in that one line", async () => {
  const result = await runCli(["serve", "--gateway", "here", "--gateway-ports", "many"]);

  expectOneLine(result, /PORTREEVE_GATEWAY: .*; PORTREEVE_GATEWAY_PORTS: /);
});

test("an address in use is told before anything is started or stored", async () => {
  await using directory = await temporaryDirectory();
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const dataDir = join(directory.path, "data");

  const result = await runCli(["serve", "--http", `127.0.0.1:${port}`, "--data-dir", dataDir]);
  other.close();

  expectOneLine(result, new RegExp(`PORTREEVE_HTTP: 127.0.0.1:${port} is already in use; choose another`));
  await expect(writeFile(join(dataDir, "x"), "")).rejects.toThrow("ENOENT");
});

test("an address that isn't this machine's is told", async () => {
  // 192.0.2.0/24 is for documentation; no machine has it.
  expectOneLine(
    await runCli(["serve", "--http", "192.0.2.1:8080"]),
    /192\.0\.2\.1:8080 is not an address of this/,
  );
});

test("a data directory that can't be one is told", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "file");
  await writeFile(file, "");

  const result = await runCli(["serve", "--http", "127.0.0.1:0", "--data-dir", file]);

  expectOneLine(result, /PORTREEVE_DATA_DIR: .*file.* can't be used \(E\w+\)/);
});

test("a second server on the same data directory says which process is the first", async () => {
  await using directory = await temporaryDirectory();
  const words = [
    "serve",
    "--http",
    "127.0.0.1:0",
    "--data-dir",
    join(directory.path, "data"),
    "--log-level",
    "silent",
  ];
  await using first = new CliProcess(words);
  await first.shows(/^API .*\n/m);

  expectOneLine(await runCli(words), /already running on .*, pid \d+/);
});

test("a signal ends a server that still waits for its database", async () => {
  await using directory = await temporaryDirectory();
  const words = ["serve", "--http", "127.0.0.1:0", "--database-url", "postgresql://127.0.0.1:1/none"];
  await using waiting = new CliProcess([...words, "--data-dir", join(directory.path, "data")]);
  await waiting.shows(/does not answer yet/, "stderr");
  waiting.signal("SIGTERM");

  expect((await waiting.finished()).code).toBe(0);
});
