import type { Kysely } from "kysely";
import type pg from "pg";
import { isUnavailable, requirePrimary } from "./connection.ts";
import { exchange, Opening, type Statement } from "./exchange.ts";
import type { Connection } from "./hosts.ts";
import type { Log } from "./log.ts";
import { collectNotices, type Notice, Notifier } from "./notifier.ts";
import { PrimaryPool } from "./primary-pool.ts";
import { openWithoutWaiting, type Scope } from "./scope.ts";
import { StatementNames, scopedKysely } from "./scoped-driver.ts";
import type { Tables } from "./tables.ts";
import type { Trx } from "./trx.ts";

/** We give up on a statement the server has not answered: its own limit of ten seconds and two for the way. A link
 *  that swallows everything is noticed by then. */
const ANSWER_TIMEOUT_MS = 12_000;
/** Customers whose Kysely is kept, some kilobytes each; beyond that all are made anew. */
const MAX_SCOPES = 1_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface DatabaseOptions {
  /** May name several hosts, or a pooler in transaction mode. */
  connection: Connection;
  /** A pooler in transaction mode stands before the server. */
  pooler?: boolean;
  /** Most connections the pool opens; 10 unless told. */
  maxConnections?: number;
  log: Log;
}

/**
 * The pool and its entry points. Whoever reads or writes rows comes through one of them; the role and the customer are
 * LOCAL to the transaction, so a connection never carries them back into the pool.
 * Values: bigint is text, timestamptz is Date, bytea is Buffer, uuid is text.
 */
export class Database implements AsyncDisposable {
  readonly #pool: PrimaryPool;
  readonly #names: StatementNames;
  readonly #notifier: Notifier;
  readonly #scopes = new Map<string, Kysely<Tables>>();
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor({ connection, pooler = false, maxConnections = 10, log }: DatabaseOptions) {
    this.#pool = new PrimaryPool({ connection, maxConnections, answerTimeoutMs: ANSWER_TIMEOUT_MS, log });
    this.#names = new StatementNames(!pooler);
    this.#notifier = new Notifier({ send: (notices) => this.#announce(notices), log });
  }

  /** Make the pool. Connects at the first use and applies no migrations: see `migrate`, `waitForServer`. */
  static async open(options: DatabaseOptions): Promise<Database> {
    return new Database(options);
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
    return this.#transaction(customerScope(customerId), work);
  }

  /** Like `asCustomer`, over the rows of all customers: for the reconciler, the gateway and the token look-up. */
  async asSystem<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#transaction("system", work);
  }

  /**
   * Run `work`, which only reads. Each statement is one round trip and a transaction of its own: it sees what was
   * committed before it, as statements of one transaction do at PostgreSQL's usual level, but `now()` differs.
   * @throws as `asCustomer`; a statement that would write, or lock rows, is refused by the server
   */
  async readAsCustomer<T>(customerId: string, work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#read(customerScope(customerId), work);
  }

  /** Like `readAsCustomer`, over the rows of all customers. */
  async readAsSystem<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#read("system", work);
  }

  /** @throws when no primary answers within 5 seconds, or no connection comes back within 10 */
  async ping(): Promise<void> {
    await this.#tracked(() => this.#withConnection(requirePrimary));
  }

  /** For readiness: why the database can't be used as it should at the moment, or undefined when it can. */
  async problem(): Promise<string | undefined> {
    try {
      await this.ping();
      return this.#notifier.problem;
    } catch (error) {
      return isUnavailable(error) ? "does not answer" : "can't be used";
    }
  }

  /** Refuse new transactions, wait for those under way, send what they announced, close the connections. Safe twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#notifier.close();
    await this.#pool.close();
  }

  async #transaction<T>(scope: Scope, work: (trx: Trx) => Promise<T>): Promise<T> {
    const notices: Notice[] = [];
    const kysely = this.#scoped(scope, false);
    const collecting = (trx: Trx) => {
      collectNotices(trx, notices);
      return work(trx);
    };
    return this.#tracked(async () => {
      const result = await kysely.transaction().execute(collecting);
      this.#notifier.add(notices);
      return result;
    });
  }

  async #read<T>(scope: Scope, work: (trx: Trx) => Promise<T>): Promise<T> {
    // Nothing is begun and nothing committed, so it needs no transaction of Kysely's, which costs as much as a small
    // query. It reads like one: the difference in the types is about savepoints and the like.
    const kysely = this.#scoped(scope, true) as Kysely<Tables> as Trx;
    return this.#tracked(() => work(kysely));
  }

  async #tracked<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error("the database is closed");
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Making a Kysely costs more than a small query: one for each scope is kept. */
  #scoped(scope: Scope, reading: boolean): Kysely<Tables> {
    const key = `${reading ? "read" : "write"} ${scope === "system" ? scope : scope.customerId}`;
    const known = this.#scopes.get(key);
    if (known) return known;
    if (this.#scopes.size >= MAX_SCOPES) this.#scopes.clear();
    const made = scopedKysely<Tables>({ pool: this.#pool, names: this.#names, scope, reading });
    this.#scopes.set(key, made);
    return made;
  }

  async #announce(notices: readonly Notice[]): Promise<void> {
    const statement = {
      text: "select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as notice(channel, payload)",
      values: [notices.map(({ channel }) => channel), notices.map(({ payload }) => payload)],
    };
    const named = (one: Statement) => this.#names.named(one, "system");
    const opening = new Opening(openWithoutWaiting("system").map(named));
    await this.#withConnection((client) => exchange(client, opening, named(statement)));
  }

  async #withConnection<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.borrow();
    try {
      const result = await work(client);
      this.#pool.giveBack(client);
      return result;
    } catch (error) {
      this.#pool.giveBack(client, error);
      throw error;
    }
  }
}

/** @throws TypeError */
function customerScope(customerId: string): Scope {
  if (!UUID.test(customerId)) throw new TypeError("the customer id is not a UUID");
  return { customerId };
}
