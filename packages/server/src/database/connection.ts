import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Log } from "./log.ts";

/** How to reach the server: a `postgresql://` URL or pg's own settings. */
export type Connection = string | pg.ClientConfig;

/** Longest we wait for a new connection, milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Settings every connection of ours shares, merged over `connection`.
 * The search path is fixed because PostgreSQL's default starts with a schema named like the user: on a server
 * that has one, our tables would silently land there.
 */
export function connectionSettings(connection: Connection, more: pg.ClientConfig = {}): pg.ClientConfig {
  return {
    application_name: "portreeve",
    options: "-c search_path=public",
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
 * Open one connection outside the pool.
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

/** What a server that is away, restarting or not yet up looks like; anything else (a wrong password, an unknown
 *  database) will not pass by waiting. The codes with digits are SQLSTATEs: shutdown, crash, starting up, too many. */
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
]);

/** pg gives these no code: a connection that ended, was not opened or not lent by the pool in time, or gave no answer.
 *  Source: pg 8.23 client.js, pg-pool index.js. */
const UNAVAILABLE_MESSAGE =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout)/;

/** True when trying again later may help: the server cannot be reached, is starting, or dropped the connection. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnavailable);
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return UNAVAILABLE.has(code) || UNAVAILABLE_MESSAGE.test(error.message);
}

/**
 * Wait until the server accepts our login, asking every half second.
 * @throws what the server answered when waiting cannot help (wrong password, unknown database); the signal's reason
 */
export async function waitForServer(
  connection: Connection,
  { log, signal }: { log: Log; signal?: AbortSignal },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      await (await openClient(connection)).end();
      return;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (attempt % 20 === 1)
        log.warn({ err: error, attempt }, "the database does not answer yet; waiting for it");
      await sleep(500, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }
}
