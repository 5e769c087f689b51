import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { isOutdatedPlan } from "./exchange.ts";
import { type Connection, type Host, hostsOf } from "./hosts.ts";
import type { Log } from "./log.ts";

/** Longest we wait for a new connection, milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Settings every connection of ours shares, merged over `connection`.
 * None of them is a start-up `options` or a time-out: poolers refuse those. Time-outs are set in each transaction (see
 * scope.ts), the search path on the role (see migrate.ts).
 */
export function connectionSettings(connection: Connection, more: pg.ClientConfig = {}): pg.ClientConfig {
  return {
    application_name: "portreeve",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(typeof connection === "string" ? { connectionString: connection } : connection),
    ...more,
  };
}

/**
 * The same connection under a name that only this process's sessions have, whatever name the address gives: whoever
 * takes over this process's work ends its sessions by it.
 */
export function namedConnection(connection: Connection, applicationName: string): Connection {
  const settings = typeof connection === "string" ? { connectionString: connection } : connection;
  const { connectionString } = settings;
  if (connectionString === undefined) return { ...settings, application_name: applicationName };
  // pg takes what the address says over what stands beside it.
  const unnamed = connectionString.replace(/([?&])application_name=[^&]*(&|$)/g, "$1").replace(/[?&]$/, "");
  return { ...settings, connectionString: unnamed, application_name: applicationName };
}

/**
 * Open one connection outside the pool to one server, primary or not.
 * @throws pg's own error when the server cannot be reached or refuses; nothing is left open then
 */
export async function openClient(connection: Connection, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client(connectionSettings(connection, more));
  // Without a listener an error on an idle connection would end the process; whoever uses the client next sees it.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  return client;
}

/** The server takes no writes: it follows another one. */
export class StandbyError extends Error {
  override readonly name = "StandbyError";
  readonly code = "standby";
  constructor() {
    super("this PostgreSQL server is a standby");
  }
}

/** None of several servers is a primary that we can use; `errors` says of each why, in the order of `hosts`. */
export class NoPrimaryError extends AggregateError {
  override readonly name = "NoPrimaryError";
  readonly code = "no-primary";
  constructor(hosts: readonly Host[], errors: readonly unknown[]) {
    const reasons = hosts.map(({ label }, index) => `${label}: ${reasonOf(errors[index])}`);
    super(errors, `none of the database's hosts is a primary that answers (${reasons.join("; ")})`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error
    ? error.message || String("code" in error ? error.code : error.name)
    : String(error);
}

/** @throws StandbyError, or pg's error when the server does not answer in time */
export async function requirePrimary(client: pg.ClientBase): Promise<void> {
  const question: pg.QueryConfig & { query_timeout: number } = {
    text: "select pg_is_in_recovery() as standby",
    query_timeout: CONNECT_TIMEOUT_MS,
  };
  const { rows } = await client.query<{ standby: boolean }>(question);
  if (rows[0]?.standby !== false) throw new StandbyError();
}

/**
 * Open one connection outside the pool to the primary, asking all hosts at the same time.
 * @throws pg's own error, or StandbyError, of the only host; NoPrimaryError of several. Nothing is left open then.
 */
export async function openPrimary(connection: Connection, more: pg.ClientConfig = {}): Promise<pg.Client> {
  return (await findPrimary(hostsOf(connection), more)).client;
}

/** @throws as openPrimary */
export async function findPrimary(
  hosts: readonly Host[],
  more: pg.ClientConfig = {},
): Promise<{ client: pg.Client; host: Host }> {
  let found = false;
  const attempts = hosts.map(async (host) => {
    const client = await openClient(host.connection, more);
    try {
      await requirePrimary(client);
      if (found) throw new Error("another host answered first");
      found = true;
      return { client, host };
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    const { errors } = error as AggregateError;
    throw hosts.length === 1 ? errors[0] : new NoPrimaryError(hosts, errors);
  }
}

/** SQLSTATE of a write that a standby, or a read-only transaction, refused. */
const READ_ONLY = "25006";

/** True for a write that was refused because the server, primary when we connected, has become a standby. */
export function isReadOnlyServer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === READ_ONLY;
}

/** What a server that is away, restarting or not yet up looks like; anything else (a wrong password, an unknown
 *  database) will not pass by waiting. The codes with digits are SQLSTATEs: shutdown, crash, starting up, too many
 *  connections, a write on a standby. */
const UNAVAILABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "57P01",
  "57P02",
  "57P03",
  "53300",
  READ_ONLY,
  "standby",
]);

const UNANSWERED = "Query read timeout";

/** pg gives these no code: a connection that ended, was not opened or not lent by the pool in time, or gave no answer.
 *  Source: pg 8.23 client.js, pg-pool index.js. */
const UNAVAILABLE_MESSAGE =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout)/;

/** True when the server has not answered in the time we give it: the link may swallow everything. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === UNANSWERED;
}

/** True when trying again later may help: the server cannot be reached, is starting, takes no writes, or dropped the
 *  connection; or a newer version has just changed the table. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnavailable);
  if (isOutdatedPlan(error)) return true;
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return UNAVAILABLE.has(code) || UNAVAILABLE_MESSAGE.test(error.message);
}

/**
 * Wait until a primary accepts our login, asking every half second.
 * @throws what the server answered when waiting cannot help (wrong password, unknown database); the signal's reason
 */
export async function waitForServer(
  connection: Connection,
  { log, signal }: { log: Log; signal?: AbortSignal },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      await (await openPrimary(connection)).end();
      return;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (attempt % 20 === 1)
        log.warn({ err: error, attempt }, "the database does not answer yet; waiting for it");
      await sleep(500, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }
}
