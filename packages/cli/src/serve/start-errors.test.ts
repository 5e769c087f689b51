import { BootstrapTokenError, ConfigError, EmbeddedStartError, KeyFileError } from "@portreeve/server";
import { expect, test } from "vitest";
import { explainStart } from "./start-errors.ts";

const start = (error: unknown, environment = {}) =>
  explainStart(environment, async () => Promise.reject(error)).catch(({ message }) => message);

const system = (fields: Partial<NodeJS.ErrnoException>) => Object.assign(new Error("raw words"), fields);

test("a start that succeeds hands its result on", async () => {
  expect(await explainStart({}, async () => 7)).toBe(7);
});

test("an address that can't be listened on is told with the setting that gave it", async () => {
  const error = system({ code: "EADDRINUSE", syscall: "listen" });

  expect(await start(error, { PORTREEVE_HTTP: "127.0.0.1:80" })).toMatch(
    /^PORTREEVE_HTTP: 127\.0\.0\.1:80 is already in use; /,
  );
  expect(await start(error)).toMatch(/^PORTREEVE_HTTP: 127\.0\.0\.1:8080 is already in use; /);
});

test.each(["28P01", "28000", "3D000"])(
  "PostgreSQL's refusal %s is told with the setting that gave the address",
  async (code) => {
    expect(await start(system({ code }))).toBe("DATABASE_URL: raw words");
  },
);

test("a file that can't be used is told with its path", async () => {
  const error = system({ code: "EROFS", syscall: "mkdir", path: "/readonly/data" });

  expect(await start(error)).toMatch(/^PORTREEVE_DATA_DIR: \/readonly\/data can't be used \(EROFS\); /);
});

test("settings that can't be used come in one line", async () => {
  expect(await start(new ConfigError("PORTREEVE_A: wrong\nPORTREEVE_B: wrong"))).toBe(
    "PORTREEVE_A: wrong; PORTREEVE_B: wrong",
  );
});

test.each([
  new KeyFileError("/etc/portreeve.key", "is readable by others; chmod 600 it"),
  new BootstrapTokenError("it holds a space"),
  new EmbeddedStartError("PostgreSQL cannot run here: no space left"),
])("the server's own %s keeps its words", async (error) => {
  expect(await start(error)).toBe(error.message);
});
