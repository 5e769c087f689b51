/** A server started before its database: it waits, and is ready soon after the database is. Wall clock: runs alone. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, loadConfig, startServer } from "@portreeve/server";
import { expect, test } from "vitest";
import { Relay } from "../packages/server/src/database/relay.fixture.ts";
import { createEmptyDatabase } from "../packages/server/src/database/testing.ts";

test("a server started without its database is ready within 5 seconds of the database's coming", async () => {
  await using opened = new AsyncDisposableStack();
  const empty = await createEmptyDatabase();
  opened.defer(() => empty.drop());
  const directory = await mkdtemp(join(tmpdir(), "portreeve-late-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const away = new URL(empty.connectionString);
  away.port = "";
  away.searchParams.set("host", directory);
  const config = loadConfig({
    PORTREEVE_HTTP: "127.0.0.1:0",
    PORTREEVE_DATA_DIR: directory,
    PORTREEVE_BOOTSTRAP_TOKEN: "a-token-of-32-characters-or-more!",
    PORTREEVE_ROLES: "api",
    DATABASE_URL: away.href,
  });
  const missed = Promise.withResolvers<void>();
  const log = createLogger("warn", {
    write: (line) => {
      if (line.includes("the database does not answer yet")) missed.resolve();
    },
  });
  const starting = startServer(config, log);
  await missed.promise;

  const cameAt = performance.now();
  opened.use(await Relay.open(empty.connectionString, { path: join(directory, ".s.PGSQL.5432") }));
  const server = opened.use(await starting);
  const { status } = await fetch(`${server.url}/readyz`);
  const readyMs = performance.now() - cameAt;
  console.log(`ready ${Math.round(readyMs)} ms after the database, migrations included`);
  expect(status).toBe(200);
  expect(readyMs).toBeLessThan(5_000);
}, 60_000);
