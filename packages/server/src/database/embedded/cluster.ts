import { randomBytes } from "node:crypto";
import { chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { startCommand } from "./command.ts";
import { ClusterMismatchError, EmbeddedStartError } from "./errors.ts";

/** The one login of the cluster. Not the name of a schema of ours: see the search path in connection.ts. */
export const USER = "portreeve_owner";

const HALF_MADE = "cluster.new-";

/**
 * The cluster directory below `root` and its owner's password, both made when there are none.
 * initdb works in a directory of its own that is renamed when it is whole; what a crash left half made is removed.
 * @param sync write everything to disk before the rename; only tests do without
 * @throws ClusterMismatchError the cluster is another PostgreSQL version's, or its password is missing
 * @throws EmbeddedStartError initdb failed
 */
export async function prepareCluster(
  root: string,
  { binaries, account, sync }: { binaries: Binaries; account: Account | undefined; sync: boolean },
): Promise<{ clusterDir: string; password: string }> {
  const clusterDir = join(root, "cluster");
  const passwordFile = join(root, "password");
  await removeHalfMade(root);
  const found = await readFile(join(clusterDir, "PG_VERSION"), "utf8").catch(ifMissing);
  if (found !== undefined) {
    requireMajor(clusterDir, found.trim(), binaries.major);
    const password = await readFile(passwordFile, "utf8").catch(ifMissing);
    if (password) return { clusterDir, password: password.trim() };
    throw new ClusterMismatchError(
      `${clusterDir} holds a database, but its password in ${passwordFile} is missing`,
    );
  }
  const password = await makePassword(passwordFile, account);
  await initialise(root, clusterDir, passwordFile, { binaries, account, sync });
  return { clusterDir, password };
}

function requireMajor(clusterDir: string, found: string, wanted: string): void {
  if (found === wanted) return;
  throw new ClusterMismatchError(
    `${clusterDir} was made by PostgreSQL ${found}, this Portreeve carries PostgreSQL ${wanted}: ` +
      `start the Portreeve that made it and move the data, or set DATABASE_URL to a PostgreSQL ${wanted} server`,
  );
}

async function removeHalfMade(root: string): Promise<void> {
  // An initdb that outlived us may still be writing: ask again while the directory fills.
  for (const name of await readdir(root))
    if (name.startsWith(HALF_MADE))
      await rm(join(root, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Written whole under another name first, so that a password file is never empty. Belongs to the cluster's owner,
 *  who has to read it into initdb. */
async function makePassword(file: string, account: Account | undefined): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, `${password}\n`, { mode: 0o600, flag: "wx" });
  if (account) await chown(`${file}.new`, account.uid, account.gid);
  await rename(`${file}.new`, file);
  return password;
}

async function initialise(
  root: string,
  clusterDir: string,
  passwordFile: string,
  { binaries, account, sync }: { binaries: Binaries; account: Account | undefined; sync: boolean },
): Promise<void> {
  const half = await mkdtemp(join(root, HALF_MADE));
  if (account) await chown(half, account.uid, account.gid);
  const initdb = await startCommand(binaries.initdb, account, async (reach) => [
    `--pgdata=${await reach(half)}`,
    `--pwfile=${await reach(passwordFile)}`,
    `--username=${USER}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    ...(sync ? [] : ["--no-sync"]),
  ]);
  const messages = text(initdb.stderr);
  const failure = await initdb.ended;
  if (failure !== undefined) {
    await rm(half, { recursive: true, force: true });
    throw new EmbeddedStartError(`initdb ${failure}: ${(await messages).trim()}`);
  }
  await rename(half, clusterDir);
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
