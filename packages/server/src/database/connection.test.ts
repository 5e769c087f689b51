import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isUnavailable, NoPrimaryError, StandbyError, waitForServer } from "./connection.ts";
import { silentLog } from "./log.ts";
import { Relay } from "./relay.fixture.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";

let testDatabase: TestDatabase;
let directory: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), "portreeve-connection-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await testDatabase.drop();
});

/** The test database at a socket where nobody listens yet. */
function away(): string {
  const url = new URL(testDatabase.connectionString);
  url.port = "";
  url.searchParams.set("host", directory);
  return url.href;
}

test("a server that is away is waited for and found when it comes", async () => {
  const missed = Promise.withResolvers<void>();
  const waiting = waitForServer(away(), { log: { ...silentLog, warn: () => missed.resolve() } });
  await missed.promise;
  await using _relay = await Relay.open(testDatabase.connectionString, {
    path: join(directory, ".s.PGSQL.5432"),
  });
  await waiting;
});

test("waiting ends with the signal's reason", async () => {
  const stop = new AbortController();
  const missed = Promise.withResolvers<void>();
  const waiting = waitForServer(away(), {
    log: { ...silentLog, warn: () => missed.resolve() },
    signal: stop.signal,
  });
  await missed.promise;
  stop.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
});

test("a server that refuses the login is not waited for", async () => {
  const url = new URL(testDatabase.connectionString);
  url.password = "wrong";
  await expect(waitForServer(url.href, { log: silentLog })).rejects.toMatchObject({ code: "28P01" });
});

test.each([
  { error: Object.assign(new Error("x"), { code: "ECONNREFUSED" }), unavailable: true },
  { error: Object.assign(new Error("x"), { code: "57P03" }), unavailable: true },
  { error: new Error("Connection terminated unexpectedly"), unavailable: true },
  { error: new Error("Query read timeout"), unavailable: true },
  { error: new AggregateError([Object.assign(new Error("x"), { code: "ECONNREFUSED" })]), unavailable: true },
  { error: new StandbyError(), unavailable: true },
  { error: new NoPrimaryError([], [new StandbyError()]), unavailable: true },
  { error: Object.assign(new Error("x"), { code: "3D000" }), unavailable: false },
  { error: Object.assign(new Error("x"), { code: "23505" }), unavailable: false },
  { error: "ECONNREFUSED", unavailable: false },
])("$error.code $error.message counts as unavailable: $unavailable", ({ error, unavailable }) => {
  expect(isUnavailable(error)).toBe(unavailable);
});
