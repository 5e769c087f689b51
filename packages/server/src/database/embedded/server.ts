import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { isUnavailable, openClient } from "../connection.ts";
import type { Log } from "../log.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { startCommand } from "./command.ts";
import { EmbeddedStartError } from "./errors.ts";
import { clusterName, stopServerProcesses } from "./processes.ts";
import { clearSockets, PORT } from "./socket-dir.ts";

/** Where a server lives and how it is reached: the same for every start of it. */
export interface ServerPlace {
  binaries: Binaries;
  account: Account | undefined;
  clusterDir: string;
  socketDir: string;
  connection: { host: string; port: number; user: string; password: string; database: string };
  /** PostgreSQL settings on top of ours. */
  settings: Record<string, string>;
  log: Log;
}

/** Between two looks whether the server accepts connections, milliseconds. */
const READY_POLL_MS = 25;
/** Lines of the server's own messages that a failed start shows. */
const KEPT_LINES = 20;

/** Statements and row contents stay out of the server's messages: what failed is reported where it was asked. */
const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  log_line_prefix: "",
  log_error_verbosity: "terse",
  log_min_error_statement: "panic",
  log_checkpoints: "off",
};

/**
 * Start the server and wait until it accepts our login and our database exists, as long as the process lives: after a
 * crash it first replays its log. Servers that a crash left in the cluster are stopped before.
 * @returns the reason of its end, when it ends
 * @throws EmbeddedStartError the process ended; its last messages are in the text. The signal's reason. Nothing runs then.
 */
export async function startServer(
  place: ServerPlace,
  signal: AbortSignal,
): Promise<{ ended: Promise<string> }> {
  const { clusterDir, log } = place;
  if (await stopServerProcesses(clusterDir))
    log.warn({ clusterDir }, "stopped a PostgreSQL that was left running");
  // No process of the cluster lives now, so the lock files are leftovers, whoever has their process ids today.
  await rm(join(clusterDir, "postmaster.pid"), { force: true });
  await clearSockets(place.socketDir);
  signal.throwIfAborted();
  const server = await spawnServer(place);
  const died = new AbortController();
  server.ended.then((reason) => died.abort(reason));
  try {
    await untilReady(place.connection, AbortSignal.any([signal, died.signal]));
    return { ended: server.ended };
  } catch (error) {
    await stopServerProcesses(clusterDir);
    if (!died.signal.aborted || signal.aborted) throw error;
    throw new EmbeddedStartError(`PostgreSQL ${await server.ended}: ${await server.lastLines()}`);
  }
}

interface ServerProcess {
  /** How the postmaster ended, in words, once it has. Children of it may live on for a moment. */
  ended: Promise<string>;
  /** Its last messages; waits for the end of every process that may still write some. */
  lastLines(): Promise<string>;
}

async function spawnServer(place: ServerPlace): Promise<ServerProcess> {
  const settings = { ...SETTINGS, cluster_name: await clusterName(place.clusterDir), ...place.settings };
  const server = await startCommand(place.binaries.postgres, place.account, async (reach) => [
    "-D",
    await reach(place.clusterDir),
    "-k",
    await reach(place.socketDir),
    "-p",
    String(PORT),
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]);
  const lines: string[] = [];
  const reader = createInterface(server.stderr).on("line", (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    if (/^(WARNING|PANIC):/.test(line)) place.log.warn({ postgres: line }, "PostgreSQL warns");
    else place.log.debug({ postgres: line }, "PostgreSQL says");
  });
  const closed = once(reader, "close");
  return {
    ended: server.ended.then((failure) => failure ?? "ended with code 0"),
    lastLines: async () => {
      await closed;
      return lines.join("\n");
    },
  };
}

async function untilReady(connection: ServerPlace["connection"], signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ensureDatabase(connection);
    } catch (error) {
      signal.throwIfAborted();
      if (!isUnavailable(error)) throw error;
      await sleep(READY_POLL_MS);
    }
  }
}

/** SQLSTATE of a database that does not exist. */
const UNKNOWN_DATABASE = "3D000";

async function ensureDatabase(connection: ServerPlace["connection"]): Promise<void> {
  try {
    await (await openClient(connection)).end();
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === UNKNOWN_DATABASE)) throw error;
    const client = await openClient({ ...connection, database: "postgres" });
    await client
      .query(`create database ${pg.escapeIdentifier(connection.database)}`)
      .finally(() => client.end());
  }
}
