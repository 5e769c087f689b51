/** The role `reconciler`: everything that is done on routers, and everything that runs by itself. */
import { Notifications, SiteLocks } from "../database/index.ts";
import { ExposureSchedule, ExposureService } from "../exposure/index.ts";
import { setCurrentRevision } from "../policies/index.ts";
import { Driver } from "../reconcile/index.ts";
import { RolloutEngine, RolloutService } from "../rollouts/index.ts";
import { SITE_CHANNEL, SITE_STATE_CHANNEL, siteRecords } from "../sites/index.ts";
import { databaseProblem, type Foundation, openFoundation, problemsOf, siteService } from "./foundation.ts";
import type { RoleContext, RunningRole } from "./role.ts";
import { openRouters } from "./routers.ts";

/** Sites at work at once in one process; each holds one connection to its router. */
const CONCURRENCY = 32;

export async function startRole(context: RoleContext): Promise<RunningRole> {
  const { connection, log } = context;
  await using starting = new AsyncDisposableStack();
  const foundation = await openFoundation(context, starting);
  const { database } = foundation;
  const { reconciler } = openRouters(context, foundation, starting);
  const locks = starting.use(await SiteLocks.open({ connection }));
  const driver = new Driver({
    list: siteRecords(database).list,
    run: (siteId, signal) => reconciler.run(siteId, signal),
    tryLock: (siteId) => locks.tryLock(siteId),
    periodMs: context.config.reconcileSeconds * 1000,
    concurrency: CONCURRENCY,
    log,
  });
  driver.start();
  starting.defer(() => driver.stop());
  const sites = siteService(foundation);
  const engine = new RolloutEngine({
    database,
    rollouts: new RolloutService({ sites, setCurrentRevision }),
    log,
  });
  engine.start();
  starting.defer(() => engine.stop());
  startExposure(context, foundation, starting);
  // After a lost connection everything is looked at afresh.
  const notifications = await Notifications.open({
    connection,
    channels: [SITE_CHANNEL, SITE_STATE_CHANNEL],
    onNotification: (channel, id) => (channel === SITE_CHANNEL ? driver.wake(id) : engine.wake()),
    onReconnect: () => {
      void driver.wakeAll();
      engine.wake();
    },
    log,
  });
  starting.use(notifications);
  const running = starting.move();
  return {
    problems: async () =>
      problemsOf({ database: await databaseProblem(database), reconciler: driver.problem }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function startExposure(
  { config, log }: RoleContext,
  { database, addresses, localAddress: ownAddress }: Foundation,
  starting: AsyncDisposableStack,
): void {
  const hours = config.exposureHours;
  if (hours === 0) return;
  const exposure = new ExposureService({ database, addresses, ownAddress, hours });
  const check = exposure.checkClaimed.bind(exposure);
  const schedule = new ExposureSchedule({ database, check, log });
  schedule.start();
  starting.defer(() => schedule.stop());
}
