import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { openPrimary } from "./connection.ts";
import type { Connection } from "./hosts.ts";
import type { Log } from "./log.ts";

/** Both `src/database/` and the built `dist/database/` lie two steps below the package, so one address serves both;
 *  the package ships the `.sql` files where they are. */
const DIRECTORY = fileURLToPath(new URL("../../src/database/migrations/", import.meta.url));

/** Key of the advisory lock migrations are applied under: the bytes of "portreev" as a bigint. */
const LOCK_KEY = "8101820099123832182";

/** A statement that waits longer for a table lock gives up, and every query queued behind it runs; then we try again. */
const LOCK_TIMEOUT_MS = 1_000;
const LOCK_ATTEMPTS = 60;
const LOCK_NOT_AVAILABLE = "55P03";

export interface Migration {
  /** File name, `0001_initial.sql`; the order is the order of names. */
  name: string;
  sql: string;
  /** SHA-256 of the file, hexadecimal. */
  checksum: string;
  /** Processes of the version before work with the schema it makes: its first line is `-- additive`. */
  additive: boolean;
}

const ADDITIVE = /^-- additive\r?\n/;

/** The schema needs the SET option of role memberships, which PostgreSQL 16 brought. */
const OLDEST_SERVER = 16;

/** The PostgreSQL server is older than the schema can work with. */
class ServerTooOldError extends Error {
  readonly code = "server-too-old";
  constructor(version: string, oldest: number) {
    super(`DATABASE_URL: PostgreSQL ${oldest} or newer is needed, this server is ${version}`);
  }
}

/** @param oldest major version */
export async function refuseOldServer(client: Pick<pg.Client, "query">, oldest: number): Promise<void> {
  const { rows } = await client.query<{ server_version: string }>("show server_version");
  const version = rows[0]?.server_version ?? "";
  if (Number.parseInt(version, 10) < oldest) throw new ServerTooOldError(version, oldest);
}

export type MigrationErrorCode =
  | "migration-changed"
  | "migration-unknown"
  | "migration-out-of-order"
  | "migration-failed";

/** The schema and the files do not fit, or a file failed. Nothing after `migration` was applied. */
export class MigrationError extends Error {
  readonly code: MigrationErrorCode;
  readonly migration: string;
  constructor(code: MigrationErrorCode, migration: string, message: string, options?: ErrorOptions) {
    super(`migration ${migration}: ${message}`, options);
    this.code = code;
    this.migration = migration;
  }
}

/** The `.sql` files of `directory` (our own unless told) in the order they are applied. */
export async function readMigrations(directory = DIRECTORY): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(`${directory}/${name}`, "utf8");
      return {
        name,
        sql,
        checksum: createHash("sha256").update(sql).digest("hex"),
        additive: ADDITIVE.test(sql),
      };
    }),
  );
}

/**
 * Bring the schema up to date: apply each file that is not recorded, in order, each in its own transaction, under an
 * advisory lock, so that processes starting together apply each once.
 * @returns the names applied now
 * @throws ServerTooOldError nothing is applied
 * @param connection not a pooler: the lock belongs to a session. May name several hosts.
 * @throws MigrationError the files and the record disagree (nothing is applied), or a file failed (those before it stay)
 */
export async function migrate(
  connection: Connection,
  { log, directory }: { log: Log; directory?: string },
): Promise<string[]> {
  const migrations = await readMigrations(directory);
  const client = await openPrimary(connection);
  try {
    await refuseOldServer(client, OLDEST_SERVER);
    await client.query(`select pg_advisory_lock(${LOCK_KEY})`);
    await fixSearchPath(client);
    const pending = pendingMigrations(migrations, await readRecord(client));
    for (const migration of pending) {
      await applyWhenUnlocked(client, migration, log);
      log.info({ migration: migration.name }, "applied a migration");
    }
    return pending.map(({ name }) => name);
  } finally {
    await client.end(); // ends the session and with it the lock
  }
}

/**
 * PostgreSQL's default path starts with a schema named like the user: on a server that has one, our tables would
 * silently land there. Set on the role, for this database, because a pooler refuses start-up options and lends the
 * same session to many.
 */
async function fixSearchPath(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ search_path: string }>("show search_path");
  if (rows[0]?.search_path === "public") return;
  await client.query(`do $$
    begin
      execute format('alter role %I in database %I set search_path = public', current_user, current_database());
    end
  $$`);
  await client.query("set search_path = public"); // the role's setting is for sessions to come
}

type Recorded = Pick<Migration, "name" | "checksum" | "additive">;

async function readRecord(client: pg.Client): Promise<Recorded[]> {
  await client.query(`create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,                        -- SHA-256 of the file as applied
    applied_at timestamptz not null default now()
  )`);
  await client.query(
    "alter table schema_migrations add column if not exists additive boolean not null default false",
  );
  const { rows } = await client.query<Recorded>(
    'select name, checksum, additive from schema_migrations order by name collate "C"',
  );
  return rows;
}

/**
 * Pure: the record must be a prefix of the files, checksum by checksum; what follows is to be applied. After all of
 * ours the record may go on with additive migrations of a newer version, which is being brought in beside us.
 */
function pendingMigrations(migrations: Migration[], recorded: Recorded[]): Migration[] {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum, additive } of recorded) {
    const migration = byName.get(name);
    if (!migration && !additive)
      throw new MigrationError(
        "migration-unknown",
        name,
        "was applied to this database by a newer Portreeve, and this version can't work with what it changed: " +
          "stop this process and start the newer version",
      );
    if (migration && migration.checksum !== checksum)
      throw new MigrationError("migration-changed", name, "the file was changed after it had been applied");
  }
  const applied = new Set(recorded.map(({ name }) => name));
  const pending = migrations.filter(({ name }) => !applied.has(name));
  const last = recorded.at(-1)?.name ?? "";
  const early = pending.find(({ name }) => name < last);
  if (early)
    throw new MigrationError(
      "migration-out-of-order",
      early.name,
      `comes before ${last}, which is applied already`,
    );
  return pending;
}

async function applyWhenUnlocked(client: pg.Client, migration: Migration, log: Log): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await apply(client, migration);
    } catch (error) {
      const locked = error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
      if (!locked || attempt === LOCK_ATTEMPTS) throw failure(migration, error);
      log.info({ migration: migration.name, attempt }, "a table is in use; trying the migration again");
      await sleep(200 + Math.random() * 300);
    }
  }
}

async function apply(client: pg.Client, { name, sql, checksum, additive }: Migration): Promise<void> {
  await client.query(`begin; set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  try {
    await client.query(sql);
    const record = "insert into schema_migrations (name, checksum, additive) values ($1, $2, $3)";
    await client.query(record, [name, checksum, additive]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

function failure({ name, sql }: Migration, cause: unknown): MigrationError {
  const position = cause instanceof pg.DatabaseError ? Number(cause.position) : Number.NaN;
  const line = Number.isNaN(position) ? "" : ` (line ${sql.slice(0, position).split("\n").length})`;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new MigrationError("migration-failed", name, `${message}${line}`, { cause });
}
