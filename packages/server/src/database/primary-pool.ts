import pg from "pg";
import {
  connectionSettings,
  findPrimary,
  isReadOnlyServer,
  isUnanswered,
  isUnavailable,
  requirePrimary,
} from "./connection.ts";
import { type Connection, type Host, hostsOf } from "./hosts.ts";
import type { Log } from "./log.ts";

export interface PrimaryPoolOptions {
  readonly connection: Connection;
  readonly maxConnections: number;
  /** The longest we wait for an answer, milliseconds. */
  readonly answerTimeoutMs: number;
  readonly log: Log;
}

/**
 * The longest we wait for a connection when all are lent, milliseconds: as long as a statement may take. Whoever waits
 * behind transactions that wait for each other gets its turn, as it would behind them in the database.
 */
const LENT_TIMEOUT_MS = 10_000;

/** pg-pool has no code for a pool whose connections are all lent. Source: pg-pool 3.14 index.js. */
const ALL_LENT = "timeout exceeded when trying to connect";

/**
 * A pool of connections to the primary of one or several hosts. Every new connection is asked whether its server is
 * one. When connecting fails, all hosts are asked which of them is the primary now, and the pool goes on there.
 */
export class PrimaryPool {
  readonly #pool: pg.Pool;
  readonly #hosts: readonly Host[];
  readonly #log: Log;
  #primary: Host;
  #searching: Promise<void> | undefined;
  /** Grows when connections made before are not to be used any more. */
  #age = 0;
  readonly #ages = new WeakMap<pg.ClientBase, number>();
  #closing: Promise<void> | undefined;

  constructor({ connection, maxConnections, answerTimeoutMs, log }: PrimaryPoolOptions) {
    this.#hosts = hostsOf(connection);
    this.#primary = this.#hosts[0] as Host;
    this.#log = log;
    const more = { query_timeout: answerTimeoutMs };
    const settings = () => connectionSettings(this.#primary.connection, more);
    const born = (client: pg.ClientBase) => this.#ages.set(client, this.#age);
    /** Connects to what is the primary when it is made. */
    class PrimaryClient extends pg.Client {
      constructor() {
        super(settings());
        born(this);
      }
    }
    this.#pool = new pg.Pool({
      Client: PrimaryClient,
      max: maxConnections,
      connectionTimeoutMillis: LENT_TIMEOUT_MS, // connecting itself has the shorter one of its client
      onConnect: (client) => requirePrimary(client),
    });
    // The pool listens to idle connections only; a borrowed one that breaks would end the process.
    this.#pool.on("connect", (client) => client.on("error", () => {}));
    this.#pool.on("error", (error) => {
      // The pool ends its connections in its own time: a server that stops meanwhile is expected during shutdown.
      if (!this.#closing) log.warn({ err: error }, "a pooled database connection was lost");
    });
  }

  /** @throws pg's error, StandbyError or NoPrimaryError: see `isUnavailable` */
  async borrow(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#connect();
      if (this.#ages.get(client) === this.#age) return client;
      client.release(true);
    }
  }

  /** @param brokenBy what left the connection unusable: it is closed */
  giveBack(client: pg.PoolClient, brokenBy?: unknown): void {
    // Their link swallows everything, or their server is a standby now: none of the others is to be tried first.
    if (isReadOnlyServer(brokenBy) || isUnanswered(brokenBy)) this.#age += 1;
    client.release(brokenBy !== undefined);
  }

  /** Lend no more, wait for what is lent, close all. Safe twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    await this.#closing;
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      const elsewhere = this.#hosts.length > 1 && isUnavailable(error);
      if (!elsewhere || (error as Error).message === ALL_LENT) throw error;
      this.#searching ??= this.#search().finally(() => {
        this.#searching = undefined;
      });
      await this.#searching;
      return await this.#pool.connect();
    }
  }

  async #search(): Promise<void> {
    const { client, host } = await findPrimary(this.#hosts);
    await client.end();
    if (host === this.#primary) return;
    this.#log.warn({ from: this.#primary.label, to: host.label }, "the database's primary has moved");
    this.#primary = host;
    this.#age += 1;
  }
}
