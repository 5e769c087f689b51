/**
 * Carries rollouts on. Level-triggered: it keeps nothing, looks at every rollout under way in a transaction of its
 * own, and does what the rows say. It is woken when a site's state has changed, and by period, which is the retry and
 * the clock.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Database } from "../database/index.ts";
import { Driver } from "../reconcile/index.ts";
import type { RolloutService } from "./service.ts";
import { findRollout, lockRollouts, underWay } from "./store.ts";

const PERIOD_MS = 5_000;
/** Sites of a wave finish together: so long their wakes are gathered for one look, which takes 0.2 s for 10,000 sites. */
const GATHER_MS = 200;

export interface RolloutEngineOptions {
  readonly database: Database;
  readonly rollouts: RolloutService;
  readonly log: Logger;
}

export class RolloutEngine {
  readonly #options: RolloutEngineOptions;
  readonly #driver: Driver;

  constructor(options: RolloutEngineOptions) {
    this.#options = options;
    this.#driver = new Driver({
      list: async () => ["rollouts"],
      run: (_, signal) => this.#run(signal),
      // Any number of processes may look: the lock is in the transaction that decides.
      tryLock: async () => ({ lost: new AbortController().signal, release: async () => {} }),
      periodMs: PERIOD_MS,
      concurrency: 1,
      log: options.log,
    });
  }

  start(): void {
    this.#driver.start();
  }

  /** Sites may have come further. */
  wake(): void {
    this.#driver.wake("rollouts");
  }

  stop(): Promise<void> {
    return this.#driver.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { database, rollouts, log } = this.#options;
    await delay(GATHER_MS, undefined, { signal }).catch(() => {});
    for (const { id, customer_id } of await database.asSystem(underWay)) {
      if (signal.aborted) return;
      try {
        await database.asSystem(async (trx) => {
          await lockRollouts(trx, customer_id);
          const rollout = await findRollout(trx, id);
          if (rollout?.ended_at === null) await rollouts.advance(trx, rollout);
        });
      } catch (error) {
        // One customer's trouble must not hold up the others.
        log.error({ err: error, rolloutId: id }, "could not carry a rollout on");
      }
    }
  }
}
