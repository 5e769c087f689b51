import { DedicatedConnection } from "./dedicated-connection.ts";
import type { Connection } from "./hosts.ts";

/** Advisory locks are numbers shared by the whole database: the words keep ours apart from others'. */
const KEY = "hashtextextended('portreeve.site:' || $1, 0)";

export interface SiteLock {
  /** Aborted, with the reason, when the lock is gone before its release: another process may hold it from now on. */
  lost: AbortSignal;
  /** Safe twice, and when the lock is lost. */
  release(): Promise<void>;
}

export interface SiteLocksOptions {
  connection: Connection;
  /** See DedicatedConnection; 5 seconds unless told. */
  heartbeatMs?: number;
}

/**
 * Locks that at most one process holds, kept by the sessions of one connection per process: the database frees them
 * when the process or the connection dies. The connection opens at first use and again after it was lost.
 * A lock tells when to stop, not whether a step already under way arrives: what must not happen twice is fenced in
 * the database as well.
 */
export class SiteLocks implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #heartbeatMs: number | undefined;
  #session: Promise<DedicatedConnection> | undefined;
  /** Held or being asked for here. The database would grant one session the same lock again. */
  readonly #taken = new Set<string>();
  #closed = false;

  private constructor({ connection, heartbeatMs }: SiteLocksOptions) {
    this.#connection = connection;
    this.#heartbeatMs = heartbeatMs;
  }

  static async open(options: SiteLocksOptions): Promise<SiteLocks> {
    return new SiteLocks(options);
  }

  /**
   * @param key the site's id
   * @returns undefined when somebody holds it, here or in another process
   * @throws pg's error when the database cannot be reached
   */
  async tryLock(key: string): Promise<SiteLock | undefined> {
    if (this.#taken.has(key)) return undefined;
    this.#taken.add(key);
    try {
      const session = await this.#currentSession();
      const [row] = await session.query<{ granted: boolean }>(
        `select pg_try_advisory_lock(${KEY}) as granted`,
        [key],
      );
      session.lost.throwIfAborted();
      if (row?.granted) return this.#hold(session, key);
      this.#taken.delete(key);
      return undefined;
    } catch (error) {
      this.#taken.delete(key);
      throw error;
    }
  }

  /** Give up every lock and close the connection; held locks report `lost`. Safe twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #hold(session: DedicatedConnection, key: string): SiteLock {
    const lost = new AbortController();
    const end = () => {
      session.lost.removeEventListener("abort", onLost);
      this.#taken.delete(key);
    };
    const onLost = () => {
      end();
      lost.abort(session.lost.reason);
    };
    session.lost.addEventListener("abort", onLost);
    let released: Promise<void> | undefined;
    const release = async () => {
      if (lost.signal.aborted) return;
      // A session that cannot be asked gives the lock up by ending.
      await session.query(`select pg_advisory_unlock(${KEY})`, [key]).catch(() => session.close());
      end();
    };
    return { lost: lost.signal, release: () => (released ??= release()) };
  }

  #currentSession(): Promise<DedicatedConnection> {
    if (this.#closed) throw new Error("the site locks are closed");
    this.#session ??= this.#openSession().catch((error) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #openSession(): Promise<DedicatedConnection> {
    const session = await DedicatedConnection.open(this.#connection, this.#heartbeatMs);
    session.lost.throwIfAborted();
    const forget = () => {
      this.#session = undefined;
      void session.close();
    };
    session.lost.addEventListener("abort", forget, { once: true });
    return session;
  }
}
