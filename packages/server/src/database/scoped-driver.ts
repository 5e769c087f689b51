import { createHash } from "node:crypto";
import {
  AbortedTransactionError,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type pg from "pg";
import { mayWrite, proveLease } from "./leases/lease.ts";

/** A rollback that is not answered in this time means the connection is dead, milliseconds. */
const ROLLBACK_TIMEOUT_MS = 2_000;

const COUNTED = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** Lists of values make as many statements as they have lengths; those are not worth a name. */
const MAX_NAMED_PARAMETERS = 24;
/** Statements with a name, each prepared once per connection: some kilobytes of the server's memory apiece. */
const MAX_NAMED_STATEMENTS = 500;
const names = new Map<string, string>();

/**
 * A name makes PostgreSQL parse and plan a statement once per connection instead of every time. Plans follow the
 * role they run under, row-level security included. The name is the text's hash, so that it means the same statement
 * behind a connection pooler too.
 */
function statementName(text: string, parameters: number): string | undefined {
  const known = names.get(text);
  if (known !== undefined || parameters > MAX_NAMED_PARAMETERS || names.size >= MAX_NAMED_STATEMENTS)
    return known;
  const name = createHash("sha256").update(text).digest("base64url").slice(0, 24);
  names.set(text, name);
  return name;
}

class ScopedConnection implements DatabaseConnection {
  readonly client: pg.PoolClient;
  /** True once the session's state is unknown: such a connection never goes back to the pool. */
  unusable = false;
  /** True once the transaction may have written something. */
  #hasWritten = false;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  async executeQuery<R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    this.#hasWritten ||= mayWrite(text);
    const name = statementName(text, parameters.length);
    const query = { text, values: [...parameters], ...(name === undefined ? {} : { name }) };
    const { command, rowCount, rows } = await this.client.query(query);
    return COUNTED.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows ?? [] };
  }

  /** @throws LeaseLostError this is a run's work, has written something, and the run's lease is another's */
  async proveLease(): Promise<void> {
    if (this.#hasWritten) await proveLease(this.client);
  }

  streamQuery(): never {
    throw new Error("streaming is not offered: a transaction ends before its rows would be read");
  }
}

/**
 * A Kysely driver whose transactions all begin with `opening`: BEGIN, the role and the customer in one message, so
 * that a scoped transaction costs no round trip more than a plain one.
 */
class ScopedDriver implements Driver {
  readonly #pool: pg.Pool;
  readonly #opening: string;

  constructor(pool: pg.Pool, opening: string) {
    this.#pool = pool;
    this.#opening = opening;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ScopedConnection> {
    return new ScopedConnection(await this.#pool.connect());
  }

  async beginTransaction(connection: ScopedConnection): Promise<void> {
    try {
      await connection.client.query(this.#opening);
    } catch (error) {
      // Kysely does not roll back what never began; BEGIN itself may have passed, though.
      await this.rollbackTransaction(connection);
      throw error;
    }
  }

  async commitTransaction(connection: ScopedConnection): Promise<void> {
    await connection.proveLease();
    const { command } = await connection.client.query("commit");
    // So PostgreSQL answers the COMMIT of a failed transaction, without an error; that must not pass as success.
    if (command === "ROLLBACK") throw new AbortedTransactionError();
  }

  /** Never throws: the error that led here is the one the caller should see. */
  async rollbackTransaction(connection: ScopedConnection): Promise<void> {
    const rollback: pg.QueryConfig & { query_timeout: number } = {
      text: "rollback",
      query_timeout: ROLLBACK_TIMEOUT_MS,
    };
    await connection.client.query(rollback).catch(() => {
      connection.unusable = true;
    });
  }

  async releaseConnection(connection: ScopedConnection): Promise<void> {
    connection.client.release(connection.unusable);
  }

  async destroy(): Promise<void> {}
}

/** Kysely over `pool`, every transaction of which begins with the SQL `opening`; the pool stays the caller's. */
export function scopedKysely<T>(pool: pg.Pool, opening: string): Kysely<T> {
  const dialect: Dialect = {
    createDriver: () => new ScopedDriver(pool, opening),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
  return new Kysely<T>({ dialect });
}
