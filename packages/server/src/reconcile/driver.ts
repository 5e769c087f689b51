/**
 * When to reconcile which site. Level-triggered: a wake carries nothing but the site's id, wakes during a run make
 * one more run, and every period wakes every site, which is the retry.
 *
 * A site is idle, queued, running, or running and queued again. At most `concurrency` run at once here; across
 * processes a lock per site lets one of them run it (the others were woken too and will find nothing to do).
 */
import type { Logger } from "pino";

export interface SiteLock {
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface DriverOptions {
  readonly list: () => Promise<readonly string[]>;
  readonly run: (siteId: string, signal: AbortSignal) => Promise<void>;
  readonly tryLock: (siteId: string) => Promise<SiteLock | undefined>;
  readonly periodMs: number;
  /** Sites at work at once in this process. */
  readonly concurrency: number;
  readonly log: Logger;
}

export class Driver {
  readonly #options: DriverOptions;
  readonly #queue = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #problem: string | undefined = "has not started yet";

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.wakeAll(), this.#options.periodMs);
    void this.wakeAll();
  }

  /** Reconcile this site soon: at once when idle, once more when running. */
  wake(siteId: string): void {
    if (this.#stopping.signal.aborted) return;
    this.#queue.add(siteId);
    this.#next();
  }

  async wakeAll(): Promise<void> {
    try {
      for (const siteId of await this.#options.list()) this.wake(siteId);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = "could not list what there is to do";
      this.#options.log.error({ err: error }, "could not list the sites to reconcile");
    }
  }

  /** Why it does not work at the moment; undefined when it does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Abort what runs and wait for it to end. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    this.#queue.clear();
    await Promise.all(this.#running.values());
  }

  #next(): void {
    for (const siteId of this.#queue) {
      if (this.#running.size >= this.#options.concurrency) return;
      if (this.#running.has(siteId)) continue;
      this.#queue.delete(siteId);
      const run = this.#run(siteId).finally(() => {
        this.#running.delete(siteId);
        this.#next();
      });
      this.#running.set(siteId, run);
    }
  }

  async #run(siteId: string): Promise<void> {
    const { tryLock, run, log } = this.#options;
    try {
      const lock = await tryLock(siteId);
      if (!lock) return;
      try {
        await run(siteId, AbortSignal.any([this.#stopping.signal, lock.lost]));
      } finally {
        await lock.release();
      }
    } catch (error) {
      log.error({ err: error, siteId }, "reconcile run failed");
    }
  }
}
