import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { openClient } from "./connection.ts";
import { type EmbeddedPostgres, startEmbedded } from "./embedded.ts";
import { silentLog } from "./log.ts";

/** Names a server the tests use instead of an embedded one; its user may create databases and roles. */
const URL_VARIABLE = "PORTREEVE_TEST_DATABASE_URL";
/** Socket on which the test run answers the URL of its embedded server; set by `offerTestServer`. */
const SOCKET_VARIABLE = "PORTREEVE_TEST_DATABASE_SOCKET";
/** Tells this run's databases from another's on the same server; set by `offerTestServer`. */
const RUN_VARIABLE = "PORTREEVE_TEST_RUN";

/** Tests may lose everything, so nothing waits for the disk. */
const SETTINGS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "300" };

/**
 * For the whole test run, before its workers start: offer one server to `createTestDatabase`. An embedded one starts
 * when the first test asks, in a temporary directory; a run without database tests costs nothing.
 * Disposing stops it, or drops the databases this run left on a server that was given.
 */
export async function offerTestServer(): Promise<AsyncDisposable> {
  process.env[RUN_VARIABLE] = randomBytes(4).toString("hex");
  const given = process.env[URL_VARIABLE];
  if (given) return { [Symbol.asyncDispose]: () => dropLeftDatabases(given) };

  const directory = await mkdtemp(join(tmpdir(), "portreeve-test-"));
  let started: Promise<EmbeddedPostgres> | undefined;
  const server = createServer(async (_request, response) => {
    started ??= startEmbedded({ dataDir: directory, log: silentLog, settings: SETTINGS });
    await started.then(
      ({ connection }) => response.end(toUrl(connection)),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  const socket = join(directory, "ask");
  await new Promise<void>((resolve) => server.listen({ path: socket }, resolve));
  process.env[SOCKET_VARIABLE] = socket;
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await (await started?.catch(() => undefined))?.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** URL of the server this run's tests use. */
export async function testServerUrl(): Promise<string> {
  const given = process.env[URL_VARIABLE];
  if (given) return given;
  const socketPath = process.env[SOCKET_VARIABLE];
  if (!socketPath)
    throw new Error(`no test server: run under vitest's global set-up, or set ${URL_VARIABLE}`);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // Without an agent, which would keep the connection for a next request that may never come.
    get({ socketPath, agent: false }, resolve).once("error", reject);
  });
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`the embedded test server did not start: ${answer}`);
  return answer;
}

export function testDatabasePrefix(): string {
  return `portreeve_test_${process.env[RUN_VARIABLE] ?? "single"}_`;
}

async function dropLeftDatabases(url: string): Promise<void> {
  const client = await openClient(url);
  try {
    const { rows } = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [testDatabasePrefix()],
    );
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  } finally {
    await client.end();
  }
}

function toUrl({ host, user, password, database }: EmbeddedPostgres["connection"]): string {
  // A URL must name a host; PostgreSQL clients prefer the one in the query.
  return `postgresql://${user}:${password}@localhost/${database}?host=${encodeURIComponent(host)}`;
}
