/**
 * Carries rollouts on. Level-triggered: it keeps nothing, looks at every rollout under way in a transaction of its
 * own, and does what the rows say. It is woken when a site's state has changed, and by period, which is the retry and
 * the clock. One process of the installation looks at a time.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { LeasedTask, Status } from "../background/index.ts";
import { bucketOf, type Database } from "../database/index.ts";
import type { RolloutService } from "./service.ts";
import { findRollout, lockRollouts, underWay } from "./store.ts";

const PERIOD_MS = 5_000;
/** Sites of a wave finish together: so long their wakes are gathered for one look, which takes 0.2 s for 10,000 sites. */
const GATHER_MS = 200;

/** The task's only key: wake it when sites may have come further. */
export const ROLLOUTS = "rollouts";

export interface RolloutTaskOptions {
  readonly database: Database;
  readonly rollouts: RolloutService;
  readonly log: Logger;
}

export function rolloutTask(options: RolloutTaskOptions): LeasedTask {
  return {
    name: "rollouts",
    claim: "bucket",
    periodMs: PERIOD_MS,
    concurrency: 1,
    list: async (buckets) => (buckets.includes(bucketOf(ROLLOUTS)) ? [ROLLOUTS] : []),
    run: (_, signal) => carryOn(options, signal),
  };
}

async function carryOn(
  { database, rollouts, log }: RolloutTaskOptions,
  signal: AbortSignal,
): Promise<Status> {
  await delay(GATHER_MS, undefined, { signal }).catch(() => {});
  const stuck: string[] = [];
  for (const { id, customer_id } of await database.asSystem(underWay)) {
    if (signal.aborted) break;
    try {
      await database.asSystem(async (trx) => {
        await lockRollouts(trx, customer_id);
        const rollout = await findRollout(trx, id);
        if (rollout?.ended_at === null) await rollouts.advance(trx, rollout);
      });
    } catch (error) {
      // One customer's trouble must not hold up the others.
      log.error({ err: error, rolloutId: id }, "could not carry a rollout on");
      stuck.push(id);
    }
  }
  return stuck.length === 0
    ? { state: "done" }
    : { state: "failed", reason: `could not carry on: ${stuck.join(", ")}` };
}
