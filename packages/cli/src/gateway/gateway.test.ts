import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliProcess, runCli, temporaryDirectory } from "../testing.ts";

function expectOneLine(result: { code: number | null; stderr: string }, line: RegExp): void {
  expect(result.stderr).toMatch(/^portreeve: [^\n]+\n$/);
  expect(result.stderr).toMatch(line);
  expect(result.code).toBe(1);
}

test("a gateway without the control plane's address or a token says what is missing", async () => {
  expectOneLine(await runCli(["gateway"]), /PORTREEVE_CONTROL: must be given/);
  expectOneLine(
    await runCli(["gateway", "--control", "unix:/nowhere"]),
    /PORTREEVE_GATEWAY_TOKEN_FILE: must be given, or PORTREEVE_GATEWAY_TOKEN/,
  );
  expectOneLine(
    await runCli(["gateway", "--control", "unix:/nowhere", "--gateway-token-file", "/nowhere"]),
    /PORTREEVE_GATEWAY_TOKEN_FILE: \/nowhere can't be read \(ENOENT\)/,
  );
});

test("a gateway waits for its control plane, and a signal stops it in order", async () => {
  await using directory = await temporaryDirectory();
  const token = join(directory.path, "token");
  await writeFile(token, `${"t".repeat(40)}\n`);
  const state = join(directory.path, "state");
  const words = [
    "gateway",
    "--control",
    "unix:/nowhere",
    "--gateway-token-file",
    token,
    "--state-dir",
    state,
  ];
  await using first = new CliProcess([...words, "--gateway", "127.0.0.1"]);
  await first.shows(/^Gateway 127\.0\.0\.1 ports 40000-49999$/m);
  expectOneLine(await runCli(words), /state is used by another gateway that runs/);
});
