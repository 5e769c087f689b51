/**
 * Databases for tests: each is a copy of one migrated template, made in tens of milliseconds and dropped afterwards.
 * The server is the one PORTREEVE_TEST_DATABASE_URL names (its user must be allowed to create databases and roles), or
 * an embedded one that the test run starts when the first test asks for it; see vitest.setup.ts.
 */
import { createHash, randomBytes } from "node:crypto";
import { hold, waitFor } from "@portreeve/testing";
import pg from "pg";
import { openClient } from "./connection.ts";
import { Database } from "./database.ts";
import { dumpRows } from "./dump.ts";
import { silentLog } from "./log.ts";
import { migrate, readMigrations } from "./migrate.ts";
import { testDatabasePrefix, testServerUrl } from "./test-server.ts";

export interface TestDatabase extends AsyncDisposable {
  database: Database;
  connectionString: string;
  /** Every row of every table of every schema as text, one per line; bytea also as the text it may hold. For looking
   *  for secrets that should not be there. */
  dump(): Promise<string>;
  /** Close `database`, end every other connection, drop it. Safe twice. */
  drop(): Promise<void>;
}

/** A fresh migrated database. Whoever creates it drops it: `afterAll(() => test.drop())`, or `await using`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await testServerUrl();
  const name = `${testDatabasePrefix()}${randomBytes(8).toString("hex")}`;
  const connectionString = withDatabase(server, name);
  await copyTemplate(server, name);
  const dropped = hold(`the database ${name}`);
  const database = await Database.open({ connection: connectionString, log: silentLog });
  let dropping: Promise<void> | undefined;
  const drop = () => {
    dropping ??= database
      .close()
      .then(() => onServer(server, (client) => dropTestDatabase(client, name)))
      .then(dropped);
    return dropping;
  };
  return {
    database,
    connectionString,
    dump: () => dumpRows(connectionString),
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/** A fresh database without tables, for tests of what makes them. */
export async function createEmptyDatabase(): Promise<Pick<TestDatabase, "connectionString" | "drop">> {
  const server = await testServerUrl();
  const name = `${testDatabasePrefix()}${randomBytes(8).toString("hex")}`;
  await onServer(server, (client) => client.query(`create database ${name}`));
  const dropped = hold(`the database ${name}`);
  return {
    connectionString: withDatabase(server, name),
    drop: () => onServer(server, (client) => dropTestDatabase(client, name)).then(dropped),
  };
}

/** Connections to a test's database are gone this long after the test, milliseconds. */
const GONE_WITHIN_MS = 2_000;
/** SQLSTATE of a database, here the template, that does not exist. */
const UNKNOWN_DATABASE = "3D000";

async function copyTemplate(server: string, name: string): Promise<void> {
  const template = await templateName();
  await onServer(server, async (client) => {
    const copy = () => client.query(`create database ${name} template ${template}`);
    try {
      await copy();
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === UNKNOWN_DATABASE)) throw error;
      await buildTemplate(server, client, template);
      await copy();
    }
  });
}

/** Named after the migrations, so that a server that is kept between runs never serves an old one. */
async function templateName(): Promise<string> {
  const checksums = (await readMigrations()).map(({ checksum }) => checksum);
  return `portreeve_template_${createHash("sha256").update(checksums.join()).digest("hex").slice(0, 16)}`;
}

/** Migrated under another name and then renamed, so that a template is whole; one process builds, others wait. */
async function buildTemplate(server: string, client: pg.Client, template: string): Promise<void> {
  await client.query("select pg_advisory_lock(hashtext($1))", [template]);
  const { rowCount } = await client.query("select from pg_database where datname = $1", [template]);
  if (rowCount === 0) {
    const building = `${template}_building`;
    await dropDatabase(client, building);
    await client.query(`create database ${building}`);
    await migrate(withDatabase(server, building), { log: silentLog });
    await client.query(`alter database ${building} rename to ${template}`);
  }
  await client.query("select pg_advisory_unlock(hashtext($1))", [template]);
}

/** Drop a test's database; whoever is still connected to it is a leak of the test, and stays one. */
async function dropTestDatabase(client: pg.Client, name: string): Promise<void> {
  const connected = async () => {
    const { rows } = await client.query<{ query: string }>(
      "select left(query, 200) as query from pg_stat_activity where datname = $1",
      [name],
    );
    return rows;
  };
  // A backend goes some milliseconds after its client has left.
  await waitFor(async () => (await connected()).length === 0, { within: GONE_WITHIN_MS }).catch(async () => {
    for (const { query } of await connected())
      hold(`a connection to the database ${name}, last asked: ${query}`);
  });
  await dropDatabase(client, name);
}

async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${name} with (force)`);
}

async function onServer<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openClient(server);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
