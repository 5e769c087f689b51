import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EmbeddedStartError } from "./errors.ts";

/** The account PostgreSQL runs under when it may not be ours: it refuses to run as root. */
export interface Account {
  uid: number;
  gid: number;
}

/**
 * Undefined for an ordinary user: PostgreSQL runs as we do. For root, whoever owns the existing cluster (so that a
 * data directory an ordinary user began keeps working), else `postgres`, else `nobody`: both are system accounts
 * that exist before us; none is created.
 * @throws EmbeddedStartError root, and the machine has neither
 */
export async function chooseAccount(clusterDir: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(clusterDir).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const passwd = await readFile("/etc/passwd", "utf8");
  for (const wanted of ["postgres", "nobody"]) {
    const [, , uid, gid] =
      passwd
        .split("\n")
        .find((line) => line.startsWith(`${wanted}:`))
        ?.split(":") ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new EmbeddedStartError(
    "PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: " +
      "start Portreeve as an ordinary user, or set DATABASE_URL",
  );
}

/** Can this account (undefined: we) use the file or directory, and every directory above it? Looks at mode bits; an
 *  access list that grants more only costs us the detour for the unreachable. */
export async function isReachable(path: string, account: Account | undefined): Promise<boolean> {
  if (!account) return true;
  const { mode, uid, gid } = await stat(path);
  const bits = uid === account.uid ? mode >> 6 : gid === account.gid ? mode >> 3 : mode;
  if ((bits & 0o1) === 0) return false;
  return path === "/" || isReachable(dirname(path), account);
}
