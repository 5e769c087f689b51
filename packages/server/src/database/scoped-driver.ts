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
import pg from "pg";
import { isReadOnlyServer } from "./connection.ts";
import { exchange, isOutdatedPlan, Opening, type Statement } from "./exchange.ts";
import { mayWrite, proveLease } from "./leases/lease.ts";
import type { PrimaryPool } from "./primary-pool.ts";
import { openReading, openTransaction, type Scope } from "./scope.ts";

/** A roll-back that is not answered in this time means the connection is dead, milliseconds. */
const ROLLBACK_TIMEOUT_MS = 2_000;

const COUNTED = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** Lists of values make as many statements as they have lengths; those are not worth a name. */
const MAX_NAMED_PARAMETERS = 24;
/** Statements with a name, each prepared once per connection: some kilobytes of the server's memory apiece. */
const MAX_NAMED_STATEMENTS = 500;

/**
 * Names of statements. A name makes PostgreSQL parse and plan a statement once per connection instead of every time.
 * Plans follow the role they run under, row-level security included, so each role has names of its own.
 * A pooler in transaction mode may run each transaction on another server connection, where the name is unknown or
 * prepared already: behind one nothing is named.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  readonly #enabled: boolean;

  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /** The statement as it is to be sent for this role. */
  named({ text, values, name }: Statement, role: string): Statement {
    if (!this.#enabled) return { text, values };
    return { text, values, name: name ?? this.#nameOf(`${role} ${text}`, values.length) };
  }

  #nameOf(key: string, parameters: number): string | undefined {
    const known = this.#names.get(key);
    if (known !== undefined || parameters > MAX_NAMED_PARAMETERS) return known;
    if (this.#names.size >= MAX_NAMED_STATEMENTS) return undefined;
    const name = createHash("sha256").update(key).digest("base64url").slice(0, 24);
    this.#names.set(key, name);
    return name;
  }
}

class ScopedConnection implements DatabaseConnection {
  readonly client: pg.PoolClient;
  /** What left the session in a state nobody knows: such a connection is never lent again. */
  brokenBy: unknown;
  /** A transaction may be open; until then the next statement brings the opening with it. */
  opened = false;
  /** Why the opening failed. Whether a transaction is open then is unknown, and the role may be the owner's: nothing
   *  more is sent but a roll-back. */
  openingFailure: unknown;
  /** True once the transaction may have written something. */
  hasWritten = false;
  readonly #driver: ScopedDriver;

  constructor(client: pg.PoolClient, driver: ScopedDriver) {
    this.client = client;
    this.#driver = driver;
  }

  async executeQuery<R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    this.hasWritten ||= mayWrite(text);
    const { command, rowCount, rows } = await this.#driver.run(this, { text, values: parameters });
    return COUNTED.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows ?? [] };
  }

  streamQuery(): never {
    throw new Error("streaming is not offered: a transaction ends before its rows would be read");
  }
}

/** What makes a scope's transactions: where connections come from, and what comes before the first statement. */
export interface DriverOptions {
  readonly pool: PrimaryPool;
  readonly names: StatementNames;
  readonly scope: Scope;
  /** Every statement is a transaction of its own that must not write. */
  readonly reading: boolean;
}

/**
 * A Kysely driver whose transactions begin with their first statement: BEGIN, the role and the customer travel in
 * the same message, so that opening costs no round trip. One that sends nothing costs nothing.
 */
class ScopedDriver implements Driver {
  readonly #pool: PrimaryPool;
  readonly #names: StatementNames;
  readonly #role: string;
  readonly #opening: Opening;
  readonly #reading: boolean;

  constructor({ pool, names, scope, reading }: DriverOptions) {
    this.#pool = pool;
    this.#names = names;
    this.#role = scope === "system" ? "system" : "tenant";
    this.#reading = reading;
    const opening = reading ? openReading(scope) : openTransaction(scope);
    this.#opening = new Opening(opening.map((statement) => names.named(statement, this.#role)));
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ScopedConnection> {
    return new ScopedConnection(await this.#pool.borrow(), this);
  }

  async beginTransaction(): Promise<void> {}

  async run(connection: ScopedConnection, query: Statement): Promise<pg.QueryResult> {
    const failure = connection.brokenBy ?? connection.openingFailure;
    if (failure !== undefined) throw failure;
    const statement = this.#names.named(query, this.#role);
    return this.#reading ? this.#runReading(connection, statement) : this.#runWriting(connection, statement);
  }

  async #runReading(connection: ScopedConnection, statement: Statement): Promise<pg.QueryResult> {
    try {
      return await exchange(connection.client, this.#opening, statement).catch((error) => {
        if (!isOutdatedPlan(error)) throw error;
        return exchange(connection.client, this.#opening, statement);
      });
    } catch (error) {
      // Its refusal to write is our own and says nothing of the server.
      if (!(error instanceof pg.DatabaseError)) connection.brokenBy = error;
      throw error;
    }
  }

  async #runWriting(connection: ScopedConnection, statement: Statement): Promise<pg.QueryResult> {
    const first = !connection.opened;
    connection.opened = true;
    try {
      return await exchange(connection.client, first ? this.#opening : undefined, statement);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || isReadOnlyServer(error)) connection.brokenBy = error;
      else if (first) connection.openingFailure = error;
      throw error;
    }
  }

  /** @throws LeaseLostError this is a run's work, has written something, and the run's lease is another's */
  async commitTransaction(connection: ScopedConnection): Promise<void> {
    if (connection.brokenBy !== undefined) throw connection.brokenBy;
    if (!connection.opened) return;
    if (connection.openingFailure !== undefined) {
      await this.rollbackTransaction(connection);
      throw new AbortedTransactionError();
    }
    if (connection.hasWritten) await proveLease((statement) => this.run(connection, statement));
    const { command } = await connection.client.query("commit");
    connection.opened = false;
    // So PostgreSQL answers the COMMIT of a failed transaction, without an error; that must not pass as success.
    if (command === "ROLLBACK") throw new AbortedTransactionError();
  }

  /** Never throws: the error that led here is the one the caller should see. */
  async rollbackTransaction(connection: ScopedConnection): Promise<void> {
    if (!connection.opened || connection.brokenBy !== undefined) return;
    const rollback: pg.QueryConfig & { query_timeout: number } = {
      text: "rollback",
      query_timeout: ROLLBACK_TIMEOUT_MS,
    };
    await connection.client.query(rollback).catch((error) => {
      connection.brokenBy = error;
    });
  }

  async releaseConnection(connection: ScopedConnection): Promise<void> {
    this.#pool.giveBack(connection.client, connection.brokenBy);
  }

  async destroy(): Promise<void> {}
}

/** Kysely whose transactions run in `scope`, on connections that stay the pool's. */
export function scopedKysely<T>(options: DriverOptions): Kysely<T> {
  const dialect: Dialect = {
    createDriver: () => new ScopedDriver(options),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
  return new Kysely<T>({ dialect });
}
