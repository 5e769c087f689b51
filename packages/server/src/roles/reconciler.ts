/** The role `reconciler`: everything that is done on routers, and everything that runs by itself. */
import { type LeasedTask, type OwnTask, type Task, TaskRunner } from "../background/index.ts";
import { bucketOf, Leases, Notifications } from "../database/index.ts";
import { check, ExposureService, exposureTask } from "../exposure/index.ts";
import { InternalListener } from "../internal/index.ts";
import { setCurrentRevision } from "../policies/index.ts";
import { ROLLOUTS, RolloutService, rolloutTask } from "../rollouts/index.ts";
import { SITE_CHANNEL, SITE_STATE_CHANNEL, Sightings, siteRecords } from "../sites/index.ts";
import { type Foundation, openFoundation, problemsOf, siteService } from "./foundation.ts";
import { answersOf } from "./questions.ts";
import type { RoleContext, RunningRole } from "./role.ts";
import { openRouters, type Routers } from "./routers.ts";

/** Sites at work at once in one process; each holds one connection to its router. */
const CONCURRENCY = 32;

/** Between two times that what was only seen again is written down, milliseconds. */
const SIGHTINGS_WRITTEN_MS = 10 * 60_000;

export async function startRole(context: RoleContext): Promise<RunningRole> {
  const { log } = context;
  await using starting = new AsyncDisposableStack();
  const foundation = await openFoundation(context, starting);
  const { applicationName, direct, database } = foundation;
  let leases: Leases | undefined;
  const isOurs = (siteId: string) => leases?.holds(bucketOf(siteId)) === true;
  const sightings = new Sightings(database, () => leases?.databaseNow() ?? new Date(), isOurs);
  const runners = new Map<string, TaskRunner>();
  const onHeard = (siteId: string) => runners.get("reconcile")?.wake(siteId);
  const routers = openRouters(context, foundation, { sightings, isOurs, onHeard }, starting);
  const internal = starting.use(
    await InternalListener.open({
      // The other hosts of the installation reach the management address, where this one has it.
      host: foundation.localAddress ?? "127.0.0.1",
      keys: foundation.vault.internalKeys(),
      answers: answersOf(routers, foundation, sightings),
      log,
    }),
  );
  const { address } = internal;
  leases = starting.use(await Leases.open({ connection: direct, applicationName, address, log }));
  keepWithLeases(leases, routers, sightings);
  for (const task of tasksOf(context, foundation, routers, sightings)) {
    const runner = new TaskRunner(task, { leases, log });
    runners.set(task.name, runner);
    runner.start();
    starting.defer(() => runner.stop());
  }
  // After a lost connection everything is looked at afresh.
  const notifications = await Notifications.open({
    connection: direct,
    channels: [SITE_CHANNEL, SITE_STATE_CHANNEL],
    onNotification: (channel, id) =>
      channel === SITE_CHANNEL ? runners.get("reconcile")?.wake(id) : runners.get("rollouts")?.wake(ROLLOUTS),
    onReconnect: () => {
      for (const runner of runners.values()) runner.wakeAll();
    },
    log,
  });
  starting.use(notifications);
  const running = starting.move();
  return {
    problems: async () =>
      problemsOf({
        database: (await database.problem()) ?? notifications.problem,
        reconciler: problemIn(runners),
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Connections to routers, and what is only known here, live where the lease is. */
function keepWithLeases(leases: Leases, { logins }: Routers, sightings: Sightings): void {
  leases.watch({
    gained: () => {},
    lost: async (buckets, areOurs) => {
      const concerned = new Set(buckets);
      logins.closeKept(concerned);
      if (areOurs) await sightings.write(concerned);
      sightings.forget(concerned);
    },
  });
}

function tasksOf(
  { config, log }: RoleContext,
  foundation: Foundation,
  { reconciler }: Routers,
  sightings: Sightings,
): Task[] {
  const { database, addresses, localAddress: ownAddress } = foundation;
  const reconcile: LeasedTask = {
    name: "reconcile",
    claim: "bucket",
    periodMs: config.reconcileSeconds * 1000,
    concurrency: CONCURRENCY,
    list: siteRecords(database, sightings).list,
    run: (siteId, signal, _lease, isWoken) => reconciler.run(siteId, signal, isWoken),
  };
  const writeSightings: OwnTask = {
    name: "sightings",
    claim: "none",
    periodMs: SIGHTINGS_WRITTEN_MS,
    concurrency: 1,
    list: async () => ["all"],
    run: async () => {
      await sightings.write();
      return { state: "done" };
    },
  };
  const rollouts = new RolloutService({ sites: siteService(foundation), setCurrentRevision });
  const tasks: Task[] = [reconcile, writeSightings, rolloutTask({ database, rollouts, log })];
  const hours = config.exposureHours;
  if (hours === 0) return tasks;
  const exposure = new ExposureService({
    database,
    hours,
    look: (claimed, signal) => check({ addresses, ownAddress }, claimed, signal),
  });
  const checkClaimed = exposure.checkClaimed.bind(exposure);
  return [...tasks, exposureTask({ database, check: checkClaimed, log })];
}

function problemIn(runners: ReadonlyMap<string, TaskRunner>): string | undefined {
  const problems = [...runners].flatMap(([name, { problem }]) => (problem ? [`${name} ${problem}`] : []));
  return problems.length === 0 ? undefined : problems.join("; ");
}
