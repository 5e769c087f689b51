import { execFile } from "node:child_process";
import { appendFile, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openClient } from "./connection.ts";
import { chooseAccount } from "./embedded/account.ts";
import { prepareBinaries } from "./embedded/binaries.ts";
import { prepareCluster, USER } from "./embedded/cluster.ts";
import { stopServerProcesses } from "./embedded/processes.ts";
import { type ServerPlace, startServer } from "./embedded/server.ts";
import { PORT, prepareSocketDir, removeSocketDir } from "./embedded/socket-dir.ts";
import { silentLog } from "./log.ts";
import { migrate } from "./migrate.ts";
import { Relay } from "./relay.fixture.ts";

/** The machine may go down with its tests; only processes are killed here. */
const SETTINGS = { fsync: "off", full_page_writes: "off", max_connections: "100" };

export interface Pair extends AsyncDisposable {
  /** Names both servers. */
  url: string;
  /** `kill -9` of the primary; nobody starts it again. */
  killPrimary(): Promise<void>;
  /** Make the standby the primary. */
  promote(): Promise<void>;
}

/**
 * A migrated primary and its synchronous standby: a commit is confirmed when both have it.
 * @param delayMs what the standby says and hears takes this much longer each way
 */
export async function startPair({ delayMs = 0 } = {}): Promise<Pair> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "portreeve-pair-"));
  starting.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const primary = await makeServer(directory, "primary", starting);
  await start(primary);
  await migrate(primary.connection, { log: silentLog });
  await stopServerProcesses(primary.clusterDir);

  const standby = await copyServer(primary, directory, starting);
  const relay = starting.use(await Relay.open(urlOf([primary]), { delayMs }));
  const { port } = new URL(relay.url);
  const { user, password } = primary.connection;
  const origin = `host=127.0.0.1 port=${port} user=${user} password=${password}`;
  await appendFile(join(standby.clusterDir, "postgresql.auto.conf"), `primary_conninfo = '${origin}'\n`);
  await writeFile(join(standby.clusterDir, "standby.signal"), "");
  if (standby.account) {
    const { uid, gid } = standby.account;
    await chown(join(standby.clusterDir, "standby.signal"), uid, gid);
  }
  await start({ ...primary, settings: { ...SETTINGS, synchronous_standby_names: "*" } });
  await start(standby);
  await untilSynchronous(primary);
  const running = starting.move();
  return {
    url: urlOf([primary, standby]),
    killPrimary: () => kill(primary),
    promote: () => ask(standby, "select pg_promote()").then(() => {}),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function makeServer(
  directory: string,
  name: string,
  starting: AsyncDisposableStack,
): Promise<ServerPlace> {
  const root = join(directory, name);
  await mkdir(root, { mode: 0o700 });
  const account = await chooseAccount(join(root, "cluster"));
  const binaries = await prepareBinaries(root, account);
  const { clusterDir, password } = await prepareCluster(root, { binaries, account, sync: false });
  return placeOf(root, { binaries, account, clusterDir, password }, starting);
}

async function placeOf(
  root: string,
  { password, ...server }: Pick<ServerPlace, "binaries" | "account" | "clusterDir"> & { password: string },
  starting: AsyncDisposableStack,
): Promise<ServerPlace> {
  const socketDir = await prepareSocketDir(root, server.account);
  starting.defer(() => removeSocketDir(root));
  starting.defer(async () => {
    await stopServerProcesses(server.clusterDir);
  });
  const connection = { host: socketDir, port: PORT, user: USER, password, database: "portreeve" };
  return { ...server, socketDir, connection, settings: SETTINGS, log: silentLog };
}

/** @param primary stopped in order, so that its files are whole */
async function copyServer(
  primary: ServerPlace,
  directory: string,
  starting: AsyncDisposableStack,
): Promise<ServerPlace> {
  const root = join(directory, "standby");
  await mkdir(root, { mode: 0o700 });
  const clusterDir = join(root, "cluster");
  await promisify(execFile)("cp", ["-a", primary.clusterDir, clusterDir]);
  const { password } = primary.connection;
  return placeOf(root, { ...primary, clusterDir, password }, starting);
}

async function start(place: ServerPlace): Promise<void> {
  await startServer(place, new AbortController().signal);
}

async function kill({ clusterDir }: ServerPlace): Promise<void> {
  const [pid] = (await readFile(join(clusterDir, "postmaster.pid"), "utf8")).split("\n");
  process.kill(Number(pid), "SIGKILL");
  await stopServerProcesses(clusterDir); // what it leaves behind ends by itself, too, but later
}

async function untilSynchronous(primary: ServerPlace): Promise<void> {
  for (let attempt = 1; attempt <= 400; attempt++) {
    const rows = await ask(primary, "select from pg_stat_replication where sync_state = 'sync'");
    if (rows.length === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the standby does not follow the primary");
}

async function ask({ connection }: ServerPlace, text: string): Promise<unknown[]> {
  const client = await openClient(connection);
  return client
    .query(text)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

function urlOf(places: ServerPlace[]): string {
  const [first] = places as [ServerPlace];
  const { user, password, database } = first.connection;
  const hosts = places.map(({ socketDir }) => socketDir).join(",");
  return `postgresql://${user}:${password}@localhost/${database}?host=${hosts}`;
}
