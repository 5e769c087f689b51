import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "./log.ts";
import type { Trx } from "./trx.ts";

/** PostgreSQL refuses longer payloads, bytes. Source: manual, NOTIFY: "must be shorter than 8000 bytes". */
const MAX_PAYLOAD_BYTES = 7_999;
/** What is announced within this time leaves in one statement, milliseconds. */
const GATHER_MS = 15;
/** Between attempts while the database takes none, milliseconds. */
const RETRY_MS = 1_000;
/** Most that one statement carries. */
const MAX_BATCH = 1_000;
/** Most that waits, about 100 bytes each; what comes beyond is dropped, and whoever listens sees it a period later. */
const MAX_WAITING = 20_000;

/** One word on one channel. */
export interface Notice {
  readonly channel: string;
  readonly payload: string;
}

/** What each transaction under way has to announce. */
const collected = new WeakMap<Trx, Notice[]>();

/** Let `notify` write into `notices` until the transaction ends. */
export function collectNotices(trx: Trx, notices: Notice[]): void {
  collected.set(trx, notices);
}

/**
 * Announce on `channel` soon after the transaction has committed; nothing is announced when it rolls back.
 * Whoever is not connected at that moment never hears of it, and a process that is killed right after its commit says
 * nothing: say "look again", never the news itself, and let listeners look again by themselves once in a while.
 * @throws RangeError the payload is 8000 bytes or longer
 * @throws TypeError the transaction is a reading, or not one of a Database
 */
export async function notify(trx: Trx, channel: string, payload = ""): Promise<void> {
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) throw new RangeError("notify: the payload is too long");
  const notices = collected.get(trx);
  if (!notices) throw new TypeError("notify: only a transaction that may write announces something");
  notices.push({ channel, payload });
}

export interface NotifierOptions {
  /** Send these in one transaction. */
  send(notices: readonly Notice[]): Promise<void>;
  readonly log: Log;
}

/**
 * Sends what committed transactions announced, gathered, each notice once, in a transaction of its own.
 * NOTIFY inside the transaction that changed something would hold a lock of the whole server until its commit has been
 * confirmed by a synchronous standby: one commit at a time. Source: PostgreSQL, async.c, PreCommit_Notify.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #waiting = new Map<string, Notice>();
  readonly #stop = new AbortController();
  #sending: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Why nothing can be announced at the moment; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  add(notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (this.#waiting.size >= MAX_WAITING) break;
      this.#waiting.set(`${notice.channel}\0${notice.payload}`, notice);
    }
    if (this.#waiting.size > 0) this.#sending ??= this.#run();
  }

  /** Send what waits, once, and stop. Safe twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#sending;
  }

  async #run(): Promise<void> {
    let delay = GATHER_MS;
    while (this.#waiting.size > 0) {
      await this.#pause(delay);
      delay = (await this.#sendBatch()) ? GATHER_MS : RETRY_MS;
      if (delay === RETRY_MS && this.#stop.signal.aborted) break;
    }
    this.#sending = undefined;
  }

  async #sendBatch(): Promise<boolean> {
    const batch = [...this.#waiting].slice(0, MAX_BATCH);
    // Before it is sent: what is announced from now on may be about a later change.
    for (const [key] of batch) this.#waiting.delete(key);
    try {
      await this.#options.send(batch.map(([, notice]) => notice));
      this.#problem = undefined;
      return true;
    } catch (error) {
      for (const [key, notice] of batch) this.#waiting.set(key, notice);
      if (!this.#problem)
        this.#options.log.warn({ err: error }, "notifications could not be sent; trying again");
      this.#problem = "notifications can't be sent";
      return false;
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
