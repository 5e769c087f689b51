import { chown, lstat, mkdir, mkdtemp, readlink, rm, rmdir, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account } from "./account.ts";

/** Only part of the socket's name: nothing listens on TCP. */
export const PORT = 5432;

const SOCKET = `.s.PGSQL.${PORT}`;

/** The shortest of the limits of the systems PostgreSQL knows, bytes. Linux itself takes 107. */
const MAX_SOCKET_PATH_BYTES = 104;

/**
 * The directory of the server's socket, mode 0700: `<root>/run`, or a new one below /tmp when that path is too long
 * for a socket; `<root>/run` is a link to it then. Emptied of what a crash left.
 */
export async function prepareSocketDir(root: string, account: Account | undefined): Promise<string> {
  const run = join(root, "run");
  await removeSocketDir(root);
  const long = Buffer.byteLength(join(run, SOCKET)) >= MAX_SOCKET_PATH_BYTES;
  const directory = long ? await mkdtemp(join(tmpdir(), "portreeve-")) : run;
  if (long) await symlink(directory, run);
  else await mkdir(run, { mode: 0o700 });
  if (account) await chown(directory, account.uid, account.gid);
  return directory;
}

/** Remove the directory `prepareSocketDir` made. Nothing is removed recursively: below /tmp others could have put
 *  something in its place. */
export async function removeSocketDir(root: string): Promise<void> {
  const run = join(root, "run");
  const found = await lstat(run).catch(() => undefined);
  if (!found) return;
  const directory = found.isSymbolicLink() ? await readlink(run) : run;
  await clearSockets(directory);
  await rmdir(directory).catch(() => {});
  await rm(run, { force: true, recursive: true });
}

/** Remove the socket and its lock file: the process id in the lock file may belong to anybody after a crash, and
 *  PostgreSQL would then refuse to start. */
export async function clearSockets(directory: string): Promise<void> {
  await rm(join(directory, SOCKET), { force: true });
  await rm(join(directory, `${SOCKET}.lock`), { force: true });
}
