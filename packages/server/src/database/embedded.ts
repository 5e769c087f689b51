import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { chooseAccount } from "./embedded/account.ts";
import { prepareBinaries } from "./embedded/binaries.ts";
import { prepareCluster, USER } from "./embedded/cluster.ts";
import { lockDirectory } from "./embedded/owner-lock.ts";
import { type ServerPlace, startServer } from "./embedded/server.ts";
import { PORT, prepareSocketDir, removeSocketDir } from "./embedded/socket-dir.ts";
import { Supervisor } from "./embedded/supervisor.ts";
import type { Log } from "./log.ts";

export { AlreadyRunningError, ClusterMismatchError, EmbeddedStartError } from "./embedded/errors.ts";

export interface EmbeddedOptions {
  /** Ours below it: `postgres/`, with the cluster, the password (0600) and the socket's directory (0700). */
  dataDir: string;
  log: Log;
  /** Gives up the start. */
  signal?: AbortSignal;
  /** PostgreSQL settings on top of ours; with `fsync: "off"` nothing is made durable, which only tests want. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** For pg; `host` is the directory of a unix socket only this user can open. */
  connection: ServerPlace["connection"];
  /** Stop the server and release the data directory. Safe twice. */
  stop(): Promise<void>;
}

/**
 * Start the PostgreSQL that comes with us (the real server's binaries from npm) in the data directory, as a child
 * process that listens on a unix socket only; the first start makes the cluster. A server that a crash of ours left
 * running is stopped and started anew. It is restarted when it dies, until `stop`.
 * @throws AlreadyRunningError another live Portreeve works with this data directory
 * @throws ClusterMismatchError the directory holds another PostgreSQL version's cluster
 * @throws EmbeddedStartError it cannot run here; nothing is left running
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, settings = {}, signal = new AbortController().signal } = options;
  const dataDir = resolve(options.dataDir); // the server works in a directory of its own
  const root = join(dataDir, "postgres");
  await mkdir(root, { recursive: true, mode: 0o700 });
  await using starting = new AsyncDisposableStack();
  starting.use(await lockDirectory(root, dataDir));

  const account = await chooseAccount(join(root, "cluster"));
  const binaries = await prepareBinaries(dataDir, account);
  const { clusterDir, password } = await prepareCluster(root, {
    binaries,
    account,
    sync: settings.fsync !== "off",
  });
  const socketDir = await prepareSocketDir(root, account);
  starting.defer(() => removeSocketDir(root));

  const connection = { host: socketDir, port: PORT, user: USER, password, database: "portreeve" };
  const place = { binaries, account, clusterDir, socketDir, connection, settings, log };
  const { ended } = await startServer(place, signal);
  starting.use(new Supervisor(place, ended));
  const running = starting.move();
  const stop = () => running.disposeAsync();
  return { connection, stop, [Symbol.asyncDispose]: stop };
}
