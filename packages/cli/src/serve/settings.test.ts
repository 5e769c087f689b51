import { SETTINGS } from "@portreeve/server";
import { Command } from "commander";
import { expect, test } from "vitest";
import { addSettingFlags, environmentWithFlags, flagOf, SETTING_FLAGS } from "./settings.ts";

function parse(words: readonly string[], environment: Record<string, string> = {}) {
  const command = addSettingFlags(new Command()).exitOverride();
  command.parse([...words], { from: "user" });
  return environmentWithFlags(command, environment);
}

test("every setting of the server has its flag, and there is no other", () => {
  expect(Object.keys(SETTING_FLAGS).sort()).toEqual([...SETTINGS].sort());
});

test("a flag is the setting's name in kebab case", () => {
  expect(flagOf("PORTREEVE_RECONCILE_SECONDS")).toBe("reconcile-seconds");
  expect(flagOf("DATABASE_URL")).toBe("database-url");
});

test("each flag sets its setting", () => {
  for (const name of SETTINGS) expect(parse([`--${flagOf(name)}`, "a,b"])).toEqual({ [name]: "a,b" });
});

test("a flag wins over the environment, and the rest of the environment stays", () => {
  const merged = parse(["--http", "127.0.0.1:1"], { PORTREEVE_HTTP: "127.0.0.1:2", HOME: "/root" });

  expect(merged).toEqual({ PORTREEVE_HTTP: "127.0.0.1:1", HOME: "/root" });
});

test("a yes-or-no setting's flag means yes when it stands alone", () => {
  expect(parse(["--allow-loopback-sites"])).toEqual({ PORTREEVE_ALLOW_LOOPBACK_SITES: "true" });
  expect(parse(["--allow-loopback-sites", "false"])).toEqual({ PORTREEVE_ALLOW_LOOPBACK_SITES: "false" });
});
