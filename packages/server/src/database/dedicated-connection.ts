import pg from "pg";
import { openPrimary, StandbyError } from "./connection.ts";
import type { Connection } from "./hosts.ts";

/** With it a link that swallows everything is noticed within ten seconds. */
const HEARTBEAT_MS = 5_000;

/** One connection outside the pool that is kept for its session: its LISTENs. */
export class DedicatedConnection implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #lost = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  /** Queries wait for each other: pg takes one at a time. */
  #tail: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(client: pg.Client, heartbeatMs: number) {
    this.#client = client;
    client.on("end", () => this.#lose(new Error("the database connection ended")));
    client.on("error", (error) => this.#lose(error));
    this.#heartbeat = setInterval(() => void this.#beat(), heartbeatMs);
    this.#heartbeat.unref();
  }

  /**
   * @param heartbeatMs the server is asked for a sign of life this often, and the connection is lost when an answer,
   *   to this or any other query, takes as long again, milliseconds
   * @throws pg's error when the server cannot be reached or refuses
   */
  static async open(connection: Connection, heartbeatMs = HEARTBEAT_MS): Promise<DedicatedConnection> {
    return new DedicatedConnection(
      await openPrimary(connection, { query_timeout: heartbeatMs }),
      heartbeatMs,
    );
  }

  /** Aborted, with the reason, as soon as we know that the session is gone; also by `close`. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  onNotification(listener: (channel: string, payload: string) => void): void {
    this.#client.on("notification", ({ channel, payload }) => listener(channel, payload ?? ""));
  }

  /** @throws pg.DatabaseError the server refused it; any other error means the connection is lost */
  query<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    const answer = this.#tail.then(async () => {
      this.lost.throwIfAborted();
      try {
        return (await this.#client.query<R>(text, values)).rows;
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) this.#lose(error);
        throw error;
      }
    });
    this.#tail = answer.catch(() => {});
    return answer;
  }

  /** End the session, and with it everything it held. Safe twice. */
  async close(): Promise<void> {
    this.#lose(new Error("the database connection was closed"));
    this.#closing ??= this.#client.end().catch(() => {});
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #beat(): Promise<void> {
    const [row] = await this.query<{ standby: boolean }>("select pg_is_in_recovery() as standby").catch(
      () => [],
    );
    if (row?.standby) this.#lose(new StandbyError());
  }

  #lose(reason: unknown): void {
    clearInterval(this.#heartbeat);
    this.#lost.abort(reason);
  }
}
