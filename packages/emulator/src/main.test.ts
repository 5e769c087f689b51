import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { RawClient } from "./testing/raw-client.ts";

const BIN = fileURLToPath(new URL("../bin/portreeve-emulator.js", import.meta.url));
const FREE = ["api", "api-ssl", "ssh", "winbox", "www", "telnet", "ftp"].flatMap((name) => [
  "--port",
  `${name}=0`,
]);

function run(...args: string[]) {
  // Without the condition these tests run with: npx doesn't set one either.
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, NODE_OPTIONS: "" } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return {
    ended: once(child, "exit").then(([code]) => ({ code: code as number | null, output })),
    async shows(pattern: RegExp): Promise<RegExpExecArray> {
      await expect.poll(() => output, { timeout: 20_000 }).toMatch(pattern);
      return pattern.exec(output) as RegExpExecArray;
    },
    stop: () => child.kill("SIGTERM"),
  };
}

test("the command runs a router until it is stopped", async () => {
  const command = run("--address", "127.0.0.1", "--version", "7.20", "--password", "pw", ...FREE);
  const [, port] = await command.shows(/^ {2}api +(\d+) {2}listens$/m);
  const client = await RawClient.open(Number(port));
  expect(await client.run("/login", "=name=admin", "=password=pw")).toEqual([["!done"]]);
  client.close();
  command.stop();
  const { code, output } = await command.ended;
  expect(code).toBe(0);
  expect(output).toMatch(/^RouterOS 7\.20 on 127\.0\.0\.1\n/);
});

test("the command runs a fleet", async () => {
  const command = run("--address", "127.66.0.1", "--count", "3", "--port", "api=0");
  await command.shows(/^3 routers, RouterOS 7\.16, API on 127\.66\.0\.1 to 127\.66\.0\.3$/m);
  command.stop();
  expect((await command.ended).code).toBe(0);
});

test.each([
  [["--port", "api"], "--port api: give a service and its port"],
  [["--count", "none"], "--count none: give a number of routers"],
  [["--nonsense"], "Unknown option '--nonsense'"],
])("%o is refused in one line", async (args, reason) => {
  const { code, output } = await run(...args).ended;
  expect(code).toBe(1);
  expect(output).toContain(reason);
});
