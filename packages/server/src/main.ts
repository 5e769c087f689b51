/** Builds the server from its settings: what needs what, started in order and stopped in the opposite one. */
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { portalRoot } from "@portreeve/portal";
import type { Logger } from "pino";
import { auditRoutes } from "./audit/index.ts";
import { assertScopes } from "./authorization/index.ts";
import { type LeasedTask, type OwnTask, TaskRunner } from "./background/index.ts";
import {
  CertificateAuthorityService,
  certificateContributor,
  certificateRoutes,
  certificateSitePart,
} from "./certificates/index.ts";
import type { Config } from "./config.ts";
import {
  CredentialAccess,
  CredentialService,
  credentialContributor,
  credentialRoutes,
} from "./credentials/index.ts";
import {
  bucketOf,
  type Connection,
  Database,
  Leases,
  migrate,
  Notifications,
  namedConnection,
  startEmbedded,
  waitForServer,
} from "./database/index.ts";
import { ExposureService, exposureRoutes, exposureTask } from "./exposure/index.ts";
import { Gateway } from "./gateway/index.ts";
import { HardeningService, hardeningContributor, hardeningRoutes } from "./hardening/index.ts";
import { buildApp, buildInternalApp } from "./http/index.ts";
import { ownManagementAddress } from "./management-address.ts";
import {
  PolicyPreviews,
  PolicyService,
  policyContributor,
  policyRoutes,
  policySitePart,
  previewRoutes,
  setCurrentRevision,
} from "./policies/index.ts";
import { ASSESSED_MENUS, certainLockOut } from "./reachability/index.ts";
import { Reconciler, type SiteRecords } from "./reconcile/index.ts";
import { ROLLOUTS, RolloutService, rolloutRoutes, rolloutTask } from "./rollouts/index.ts";
import {
  AddressRules,
  LatestSightings,
  SITE_CHANNEL,
  SITE_STATE_CHANNEL,
  Sightings,
  SiteService,
  sightingsAnswer,
  siteRecords,
  siteRoutes,
} from "./sites/index.ts";
import { Authenticator, ensureBootstrap, tokenRoutes } from "./tokens/index.ts";
import {
  ACCESS_CHANNEL,
  Doorkeeper,
  TransientAccessService,
  transientAccessContributor,
  transientAccessRoutes,
} from "./transient-access/index.ts";
import { openVault, type Secret } from "./vault/index.ts";

/** Sites at work at once in one process; each holds one connection to its router. */
const RECONCILE_CONCURRENCY = 32;

/** Between two times that what was only seen again is written down, milliseconds. */
const SIGHTINGS_WRITTEN_MS = 10 * 60_000;

export interface RunningServer extends AsyncDisposable {
  /** Where API and portal answer; undefined when the role api is not among ours. */
  readonly url: string | undefined;
  /** The first administrator's token, when this start made it: to be printed once. */
  readonly bootstrapToken: Secret | undefined;
}

/**
 * Start the roles named in the configuration and return once they work.
 * @throws what keeps them from working: the port is taken, the database can't be used, a setting is wrong; nothing
 *   is left running then
 */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  await using starting = new AsyncDisposableStack();
  const applicationName = `portreeve ${randomBytes(8).toString("hex")}`;
  const connection = namedConnection(await databaseConnection(config, log, starting), applicationName);
  await migrate(connection, { log });
  const database = starting.use(await Database.open({ connection, maxConnections: 20, log }));
  const vault = await openVault(database, config.masterKeyFile);
  let leases: Leases | undefined;
  let doorkeeper: Doorkeeper | undefined;
  const tasks = new Map<string, TaskRunner>();
  const readiness = {
    database: () => reasonAgainst(database.ping()),
    reconciler: async () => problemOf(tasks),
    gateway: async () => doorkeeper?.problem,
  };
  const isOurs = (siteId: string) => leases?.holds(bucketOf(siteId)) === true;
  const sightings = new Sightings(database, () => leases?.databaseNow() ?? new Date(), isOurs);
  const internal = buildInternalApp({ log, readiness, answers: [sightingsAnswer(sightings)] });
  starting.defer(() => internal.close());
  await internal.listen({ host: "127.0.0.1", port: 0 });
  const internalAddress = internal.listeningOrigin.replace(/^http:\/\//, "");

  const addresses = new AddressRules({ allowLoopback: config.allowLoopbackSites });
  const localAddress = await ownManagementAddress(config.managementAddress);
  const sites = new SiteService({ vault, addresses, parts: [policySitePart, certificateSitePart] });
  const rollouts = new RolloutService({ sites, setCurrentRevision });
  const policies = new PolicyService({ rollouts, managementAddress: config.managementAddress });
  const credentials = new CredentialService({ vault, sites, username: config.apiUsername });
  const transientAccess = new TransientAccessService({ vault, sites, policies, ports: config.gateway.ports });
  const access = starting.use(
    new CredentialAccess({
      database,
      vault,
      sightings,
      isOurs,
      addresses,
      localAddress,
      username: config.apiUsername,
    }),
  );
  const reconciler = new Reconciler({
    database,
    sites: siteRecords(database, sightings),
    access,
    contributors: [
      policyContributor,
      credentialContributor(vault, config.apiUsername),
      transientAccessContributor(vault),
      hardeningContributor,
      certificateContributor({ database, vault, access }),
    ],
    guard: {
      menus: ASSESSED_MENUS,
      reasonAgainst: (observed, steps, { managementAddress: address, service }) =>
        certainLockOut(observed, steps, { address, service }),
    },
    log,
  });
  const exposure = new ExposureService({
    database,
    addresses,
    ownAddress: localAddress,
    hours: config.exposureHours,
  });
  if (config.roles.has("reconciler")) {
    leases = starting.use(await Leases.open({ connection, applicationName, address: internalAddress, log }));
    leases.watch({
      gained: () => {},
      lost: async (buckets, areOurs) => {
        const concerned = new Set(buckets);
        access.closeKept(concerned); // connections to routers live where the lease is
        if (areOurs) await sightings.write(concerned);
        sightings.forget(concerned);
      },
    });
    for (const task of [
      reconcileTask(reconciler, siteRecords(database, sightings), config),
      sightingsTask(sightings),
      rolloutTask({ database, rollouts, log }),
      ...(config.exposureHours > 0
        ? [exposureTask({ database, check: (site, signal) => exposure.checkClaimed(site, signal), log })]
        : []),
    ]) {
      const runner = new TaskRunner(task, { leases, log });
      tasks.set(task.name, runner);
      runner.start();
      starting.defer(() => runner.stop());
    }
  }
  if (config.roles.has("gateway")) {
    const gateway = starting.use(new Gateway({ listenAddress: config.gateway.host, log }));
    doorkeeper = new Doorkeeper({ database, gateway, sites, addresses, localAddress, log });
    doorkeeper.start();
    starting.defer(() => doorkeeper?.stop());
  }
  starting.use(await listenForChanges(connection, log, { tasks, doorkeeper }));

  // Late, because a token made by a start that then fails would be shown to nobody; and before the API answers, so
  // that the first request is not refused.
  const bootstrapped = await ensureBootstrap(database, {
    token: config.bootstrapToken,
    onFirstCustomer: (trx, customerId) => policies.createDefault(trx, customerId),
  });

  let url: string | undefined;
  if (config.roles.has("api")) {
    const authenticator = starting.use(new Authenticator(database, log));
    const routes = [
      ...siteRoutes(sites, new LatestSightings(database, sightings, internalAddress)),
      ...exposureRoutes({ sites, exposure }),
      ...policyRoutes(policies),
      ...rolloutRoutes(rollouts),
      ...previewRoutes(
        policies,
        new PolicyPreviews((siteId, options, signal) => reconciler.preview(siteId, options, signal)),
      ),
      ...hardeningRoutes(new HardeningService({ sites, policies, access, apiUsername: config.apiUsername })),
      ...credentialRoutes(credentials),
      ...certificateRoutes(new CertificateAuthorityService({ vault, sites })),
      ...transientAccessRoutes({
        access: transientAccess,
        entryPoint: config.entryPoint,
        // With the gateway in another process the port opens or closes a moment after the answer.
        opened: async (grantId) => doorkeeper?.opened(grantId),
        closed: async (grantId) => doorkeeper?.closed(grantId),
      }),
      ...tokenRoutes(),
      ...auditRoutes(),
    ];
    assertScopes(routes);
    const app = buildApp({
      log,
      database,
      vault,
      authenticate: (token) => authenticator.authenticate(token),
      routes,
      readiness,
      portalRoot,
      trustedProxies: config.trustedProxies,
    });
    starting.defer(() => app.close());
    await app.listen(config.http);
    url = config.publicUrl ?? urlOf(app.server.address() as AddressInfo);
  }

  const running = starting.move();
  return {
    url,
    bootstrapToken: bootstrapped?.generatedToken,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The server that DATABASE_URL names, or the embedded one, started here. */
async function databaseConnection(
  config: Config,
  log: Logger,
  starting: AsyncDisposableStack,
): Promise<Connection> {
  if (config.databaseUrl === undefined) {
    return starting.use(await startEmbedded({ dataDir: config.dataDir, log })).connection;
  }
  await waitForServer(config.databaseUrl, { log });
  return config.databaseUrl;
}

function reconcileTask(reconciler: Reconciler, records: SiteRecords, config: Config): LeasedTask {
  return {
    name: "reconcile",
    claim: "bucket",
    periodMs: config.reconcileSeconds * 1000,
    concurrency: RECONCILE_CONCURRENCY,
    list: records.list,
    run: (siteId, signal) => reconciler.run(siteId, signal),
  };
}

function sightingsTask(sightings: Sightings): OwnTask {
  return {
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
}

interface Wakeable {
  /** By their names. */
  readonly tasks: ReadonlyMap<string, TaskRunner>;
  readonly doorkeeper: Doorkeeper | undefined;
}

function problemOf(tasks: ReadonlyMap<string, TaskRunner>): string | undefined {
  const problems = [...tasks].flatMap(([name, { problem }]) =>
    problem === undefined ? [] : `${name} ${problem}`,
  );
  return problems.length === 0 ? undefined : problems.join("; ");
}

/** Told of changes by whichever process made them. After a lost connection everything is looked at afresh. */
function listenForChanges(
  connection: Connection,
  log: Logger,
  { tasks, doorkeeper }: Wakeable,
): Promise<Notifications> {
  return Notifications.open({
    connection,
    channels: [SITE_CHANNEL, SITE_STATE_CHANNEL, ACCESS_CHANNEL],
    onNotification: (channel, id) => {
      if (channel === SITE_STATE_CHANNEL) return tasks.get("rollouts")?.wake(ROLLOUTS);
      if (channel === SITE_CHANNEL) tasks.get("reconcile")?.wake(id);
      doorkeeper?.wake(); // a policy that moves a port moves the grants' targets too
    },
    onReconnect: () => {
      for (const task of tasks.values()) task.wakeAll();
      doorkeeper?.wake();
    },
    log,
  });
}

async function reasonAgainst(check: Promise<void>): Promise<string | undefined> {
  try {
    await check;
    return undefined;
  } catch {
    return "does not answer";
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
