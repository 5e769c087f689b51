import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openClient } from "./connection.ts";
import { chooseAccount } from "./embedded/account.ts";
import { Relay } from "./relay.fixture.ts";

const PGBOUNCER = "/usr/sbin/pgbouncer";

/** Why the tests with PgBouncer can't run here; undefined where they can. */
export const poolerMissing = existsSync(PGBOUNCER)
  ? undefined
  : "no PgBouncer: scripts/install-test-deps.sh installs it";

/** A real PgBouncer in transaction mode before a database, with few connections to it, so that clients share them. */
export async function startPooler(database: string): Promise<AsyncDisposable & { url: string }> {
  await using starting = new AsyncDisposableStack();
  // It can't open the server's socket, which belongs to another user.
  const relay = starting.use(await Relay.open(database));
  const server = new URL(relay.url);
  const directory = await mkdtemp(join(tmpdir(), "portreeve-pooler-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  const account = await chooseAccount(directory); // neither runs as root
  await writeFile(join(directory, "users"), `"${server.username}" "${server.password}"\n`);
  await writeFile(
    join(directory, "pgbouncer.ini"),
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr =
unix_socket_dir = ${directory}
listen_port = 6432
pool_mode = transaction
default_pool_size = 3
auth_type = scram-sha-256
auth_file = ${join(directory, "users")}
`,
  );
  if (account) await chown(directory, account.uid, account.gid);
  await chmod(directory, 0o755);
  const pooler = spawn(PGBOUNCER, ["-q", join(directory, "pgbouncer.ini")], {
    ...account,
    stdio: ["ignore", "ignore", "ignore"],
  });
  starting.defer(() => endOf(pooler));
  const url = new URL(database);
  url.port = "6432";
  url.searchParams.set("host", directory);
  await untilAnswers(url.href, pooler);
  const running = starting.move();
  return { url: url.href, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function untilAnswers(url: string, pooler: ChildProcess): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (await openClient(url)).end();
    } catch (error) {
      if (attempt === 200 || pooler.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
