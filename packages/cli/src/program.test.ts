import { expect, test } from "vitest";
import { createProgram } from "./program.ts";
import { runCli } from "./testing.ts";

test("the help names every command", async () => {
  const { code, stdout } = await runCli(["--help"]);

  expect(code).toBe(0);
  const names = [
    "demo",
    "serve",
    "emulate",
    "export",
    "plan",
    "apply",
    "probe",
    "sites",
    "policies",
    "rollouts",
    "access",
    "credentials",
    "audit",
    "tokens",
  ];
  for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
});

test("a misspelt command or option is answered with the right spelling and exit code 1", async () => {
  const command = await runCli(["polices"]);
  const option = await runCli(["serve", "--htttp", "127.0.0.1:0"]);

  expect(command).toMatchObject({ code: 1, stderr: expect.stringContaining("Did you mean policies?") });
  expect(option).toMatchObject({ code: 1, stderr: expect.stringContaining("Did you mean --http?") });
});

test("no password and no API token can be given on a client command's line", () => {
  const client = createProgram().commands.filter((command) => command.commands.length > 0);
  const verbs = client.flatMap((noun) => noun.commands);

  expect(verbs.length).toBeGreaterThan(15);
  const flags = verbs.flatMap((verb) => verb.options.map(({ long }) => long));
  expect(flags).toContain("--password-file");
  expect(flags.filter((flag) => flag === "--password" || flag === "--token")).toEqual([]);
});
