/** A database as a version of the past has left it, to see what the next migration makes of it. */
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { openClient } from "./connection.ts";
import { silentLog } from "./log.ts";
import { migrate } from "./migrate.ts";
import { createEmptyDatabase } from "./testing.ts";

const MIGRATIONS = fileURLToPath(new URL("migrations", import.meta.url));

export interface PastDatabase extends AsyncDisposable {
  readonly owner: pg.Client;
  /** Apply the migrations up to this one. */
  migrateTo(last: string): Promise<void>;
}

export async function openPastDatabase(last: string): Promise<PastDatabase> {
  await using opening = new AsyncDisposableStack();
  const empty = await createEmptyDatabase();
  opening.defer(() => empty.drop());
  const directory = await mkdtemp(join(tmpdir(), "portreeve-migrations-"));
  opening.defer(() => rm(directory, { recursive: true }));
  const migrateTo = async (name: string) => {
    const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith(".sql") && file <= name);
    for (const file of files) await copyFile(join(MIGRATIONS, file), join(directory, file));
    await migrate(empty.connectionString, { log: silentLog, directory });
  };
  await migrateTo(last);
  const owner = await openClient(empty.connectionString);
  opening.defer(() => owner.end());
  const opened = opening.move();
  return { owner, migrateTo, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
