import type { Kysely, Transaction } from "kysely";
import pg from "pg";
import { type Connection, connectionSettings } from "./connection.ts";
import type { Log } from "./log.ts";
import { scopedKysely } from "./scoped-driver.ts";
import type { Tables } from "./tables.ts";

/** One transaction, bound to a customer or to the system role. Not to be used after its work has ended. */
export type Trx = Transaction<Tables>;

/** The server ends a statement that runs longer, milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** We give up on a statement the server has not answered: its own limit and two seconds for the way. Together with
 *  the rollback's two seconds a link that swallows everything is noticed within 15 seconds. */
const ANSWER_TIMEOUT_MS = 12_000;
/** The server ends a session that holds a transaction open without using it: nobody waits for a router inside one. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
/** Customers whose Kysely is kept, some kilobytes each; beyond that all are made anew. */
const MAX_SCOPES = 1_000;
const PING_TIMEOUT_MS = 5_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface DatabaseOptions {
  connection: Connection;
  /** Most connections the pool opens; 10 unless told. */
  maxConnections?: number;
  log: Log;
}

/**
 * The pool and its two doors. Whoever reads or writes rows comes through `asCustomer` or `asSystem`; the role and the
 * customer are LOCAL to the transaction, so a connection never carries them back into the pool.
 * Values: bigint is text, timestamptz is Date, bytea is Buffer, uuid is text.
 */
export class Database implements AsyncDisposable {
  readonly #pool: pg.Pool;
  readonly #scopes = new Map<string, Kysely<Tables>>();
  #closing: Promise<void> | undefined;

  private constructor(pool: pg.Pool, log: Log) {
    this.#pool = pool;
    // The pool listens to idle connections only; a borrowed one that breaks would end the process.
    pool.on("connect", (client) => client.on("error", () => {}));
    pool.on("error", (error) => {
      // The pool ends its connections in its own time; a server that stops meanwhile is no news.
      if (!this.#closing) log.warn({ err: error }, "a pooled database connection was lost");
    });
  }

  /** Make the pool. Connects at the first use and applies no migrations: see `migrate`, `waitForServer`. */
  static async open({ connection, maxConnections = 10, log }: DatabaseOptions): Promise<Database> {
    const pool = new pg.Pool({
      ...connectionSettings(connection, {
        statement_timeout: STATEMENT_TIMEOUT_MS,
        query_timeout: ANSWER_TIMEOUT_MS,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      }),
      max: maxConnections,
    });
    return new Database(pool, log);
  }

  /**
   * Run `work` in one transaction that sees and writes only this customer's rows.
   * Commits when `work` resolves, rolls back when it throws. Not retried.
   * @throws TypeError the customer id is not a UUID; nothing was sent
   * @throws what `work` threw, pg's DatabaseError, or Kysely's AbortedTransactionError when `work` swallowed one;
   *   nothing was written then. When the connection broke during COMMIT itself it is unknown whether it happened:
   *   read back.
   */
  async asCustomer<T>(customerId: string, work: (trx: Trx) => Promise<T>): Promise<T> {
    if (!UUID.test(customerId)) throw new TypeError("asCustomer: the customer id is not a UUID");
    return this.#transaction(
      `begin; set local role portreeve_tenant; set local portreeve.customer_id = '${customerId}'`,
      work,
    );
  }

  /** Like `asCustomer`, over the rows of all customers: for the reconciler, the gateway and the token look-up. */
  async asSystem<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#transaction("begin; set local role portreeve_system", work);
  }

  /** @throws when the server does not answer within 5 seconds */
  async ping(): Promise<void> {
    const query: pg.QueryConfig & { query_timeout: number } = {
      text: "select 1",
      query_timeout: PING_TIMEOUT_MS,
    };
    await this.#pool.query(query);
  }

  /** Refuse new transactions, wait for those under way, close the connections. Safe twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Making a Kysely costs more than a small query: one for each scope is kept. */
  #scoped(opening: string): Kysely<Tables> {
    const known = this.#scopes.get(opening);
    if (known) return known;
    if (this.#scopes.size >= MAX_SCOPES) this.#scopes.clear();
    const made = scopedKysely<Tables>(this.#pool, opening);
    this.#scopes.set(opening, made);
    return made;
  }

  #transaction<T>(opening: string, work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#scoped(opening).transaction().execute(work);
  }
}
