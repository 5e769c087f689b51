import { readFileSync } from "node:fs";
import { SETTINGS } from "@portreeve/server/settings";
import { Command } from "commander";
import { expect, test } from "vitest";
import { addSettingFlags, environmentWithFlags, flagOf } from "./settings.ts";

function parse(words: readonly string[], environment: Record<string, string> = {}) {
  const command = addSettingFlags(new Command()).exitOverride();
  command.parse([...words], { from: "user" });
  return environmentWithFlags(command, environment);
}

test("the README lists every setting with its default, and no other", () => {
  const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `((?:PORTREEVE|DATABASE)_[A-Z_]+)` \| ([^|]*) \|/gm)];
  const listed = rows.map(([, name, otherwise = ""]) => [name, otherwise.replaceAll("`", "")]);
  const known = Object.entries(SETTINGS).map(([name, setting]) => [
    name,
    "default" in setting ? setting.default : setting.unset,
  ]);
  expect(listed).toEqual(known);
});

test("a flag is the setting's name in kebab case", () => {
  expect(flagOf("PORTREEVE_RECONCILE_SECONDS")).toBe("reconcile-seconds");
  expect(flagOf("DATABASE_URL")).toBe("database-url");
});

test("each flag sets its setting", () => {
  for (const name of Object.keys(SETTINGS))
    expect(parse([`--${flagOf(name)}`, "a,b"])).toEqual({ [name]: "a,b" });
});

test("a flag wins over the environment, and the rest of the environment stays", () => {
  const merged = parse(["--http", "127.0.0.1:1"], { PORTREEVE_HTTP: "127.0.0.1:2", HOME: "/root" });

  expect(merged).toEqual({ PORTREEVE_HTTP: "127.0.0.1:1", HOME: "/root" });
});

test("a yes-or-no setting's flag means yes when it stands alone", () => {
  expect(parse(["--allow-loopback-sites"])).toEqual({ PORTREEVE_ALLOW_LOOPBACK_SITES: "true" });
  expect(parse(["--allow-loopback-sites", "false"])).toEqual({ PORTREEVE_ALLOW_LOOPBACK_SITES: "false" });
});
