/** Builds the server from its settings: what needs what, started in order and stopped in the opposite one. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningGateway, startGateway } from "@portreeve/gateway";
import { portalRoot } from "@portreeve/portal";
import type { Logger } from "pino";
import {
  ACCESS_CHANNEL,
  controlEndpoint,
  ensureLocalGateway,
  GATEWAY_CHANNEL,
  GatewayControl,
  gatewayRoutes,
  listenForGateway,
  TransientAccessService,
  transientAccessContributor,
  transientAccessRoutes,
} from "./access/index.ts";
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
import { CredentialService, credentialContributor, credentialRoutes } from "./credentials/index.ts";
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
import { databaseHandovers, Reconciler, type SiteRecords, secretsOf } from "./reconcile/index.ts";
import { ROLLOUTS, RolloutService, rolloutRoutes, rolloutTask } from "./rollouts/index.ts";
import { apiLinks, RouterLogins, siteWorkflows } from "./routers/index.ts";
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
  const { pooled, direct, pooler } = await databaseConnections(config, log, starting, applicationName);
  await migrate(direct, { log });
  const database = starting.use(await Database.open({ connection: pooled, pooler, maxConnections: 20, log }));
  const vault = await openVault(database, config.masterKeyFile);
  let leases: Leases | undefined;
  let notifications: Notifications | undefined;
  let gateway: RunningGateway | undefined;
  const tasks = new Map<string, TaskRunner>();
  const readiness = {
    database: async () => (await database.problem()) ?? notifications?.problem,
    reconciler: async () => problemOf(tasks),
    gateway: async () => gateway?.problem,
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
  const control = config.roles.has("api")
    ? starting.use(new GatewayControl({ database, sites, addresses, localAddress, log }))
    : undefined;
  const logins = starting.use(
    new RouterLogins({
      database,
      vault,
      sightings,
      isOurs,
      addresses,
      localAddress,
    }),
  );
  const certificates = certificateContributor({ database, vault });
  const contributors = [
    policyContributor,
    credentialContributor(vault, config.apiUsername),
    transientAccessContributor(vault),
    hardeningContributor,
    certificates,
  ];
  const reconciler = new Reconciler({
    database,
    sites: siteRecords(database, sightings),
    links: apiLinks({ access: logins, openSecret: secretsOf(database, contributors) }),
    workflows: siteWorkflows({ database, vault, logins, username: config.apiUsername }),
    handovers: databaseHandovers(database),
    contributors,
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
    leases = starting.use(
      await Leases.open({ connection: direct, applicationName, address: internalAddress, log }),
    );
    leases.watch({
      gained: () => {},
      lost: async (buckets, areOurs) => {
        const concerned = new Set(buckets);
        logins.closeKept(concerned); // connections to routers live where the lease is
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
  if (control && config.roles.has("gateway"))
    gateway = await startLocalGateway({ control, database, config, log }, starting);
  notifications = starting.use(await listenForChanges(direct, log, { tasks, control }));

  // Late, because a token made by a start that then fails would be shown to nobody; and before the API answers, so
  // that the first request is not refused.
  const bootstrapped = await ensureBootstrap(database, {
    token: config.bootstrapToken,
    onFirstCustomer: (trx, customerId) => policies.createDefault(trx, customerId),
  });

  let url: string | undefined;
  if (control) {
    const transientAccess = new TransientAccessService({ vault, sites, policies, origin: control.origin });
    const authenticator = starting.use(new Authenticator(database, log));
    const routes = [
      ...siteRoutes(sites, new LatestSightings(database, sightings, internalAddress)),
      ...exposureRoutes({ sites, exposure }),
      ...policyRoutes(policies),
      ...rolloutRoutes(rollouts),
      ...previewRoutes(
        policies,
        new PolicyPreviews(
          (siteId, options, signal) => reconciler.preview(siteId, options, signal),
          certificates,
        ),
      ),
      ...hardeningRoutes(
        new HardeningService({ sites, policies, access: logins, apiUsername: config.apiUsername }),
      ),
      ...credentialRoutes(credentials),
      ...certificateRoutes(new CertificateAuthorityService({ vault, sites })),
      ...transientAccessRoutes({ database, access: transientAccess, control }),
      ...gatewayRoutes(),
      ...tokenRoutes(),
      ...auditRoutes(),
    ];
    assertScopes(routes);
    const app = buildApp({
      log,
      database,
      vault,
      authenticate: (token, options) => authenticator.authenticate(token, options),
      routes,
      plugins: [(app) => controlEndpoint(app, { control, database, log })],
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

interface DatabaseConnections {
  /** For transactions. */
  readonly pooled: Connection;
  /** For what needs a session of its own: LISTEN, locks, migrations. */
  readonly direct: Connection;
  readonly pooler: boolean;
}

/** What DATABASE_URL and DATABASE_DIRECT_URL name, or the embedded server, started here. */
async function databaseConnections(
  config: Config,
  log: Logger,
  starting: AsyncDisposableStack,
  applicationName: string,
): Promise<DatabaseConnections> {
  const named = (connection: Connection) => namedConnection(connection, applicationName);
  if (config.databaseUrl === undefined) {
    const connection = named(starting.use(await startEmbedded({ dataDir: config.dataDir, log })).connection);
    return { pooled: connection, direct: connection, pooler: false };
  }
  const direct = named(config.databaseDirectUrl ?? config.databaseUrl);
  await waitForServer(direct, { log });
  return { pooled: named(config.databaseUrl), direct, pooler: config.databaseDirectUrl !== undefined };
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
  readonly control: GatewayControl | undefined;
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
  { tasks, control }: Wakeable,
): Promise<Notifications> {
  return Notifications.open({
    connection,
    channels: [SITE_CHANNEL, SITE_STATE_CHANNEL, ACCESS_CHANNEL, GATEWAY_CHANNEL],
    onNotification: (channel, payload) => {
      if (channel === SITE_STATE_CHANNEL) return tasks.get("rollouts")?.wake(ROLLOUTS);
      if (channel === GATEWAY_CHANNEL) return control?.heard(payload);
      if (channel === SITE_CHANNEL) {
        tasks.get("reconcile")?.wake(payload);
        // A policy that moves a port moves the grants' targets too.
        return control?.siteChanged(payload);
      }
      const [grantId = "", origin] = payload.split(" ");
      control?.grantChanged(grantId, origin);
    },
    onReconnect: () => {
      for (const task of tasks.values()) task.wakeAll();
      control?.compare();
    },
    log,
  });
}

interface GatewayParts {
  readonly control: GatewayControl;
  readonly database: Database;
  readonly config: Config;
  readonly log: Logger;
}

/** This host's gateway. It shares nothing with the API but a socket, so that it can be a process of its own. */
async function startLocalGateway(
  { control, database, config, log }: GatewayParts,
  starting: AsyncDisposableStack,
): Promise<RunningGateway> {
  const { gateway, entryPoint, stateDir } = config;
  const token = await ensureLocalGateway(database, { ...gateway, entryPoint, stateDir });
  // A directory of its own, short enough for a socket's name (107 bytes) and for this user alone.
  const directory = await mkdtemp(join(tmpdir(), "portreeve-control-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "control.sock");
  starting.use(await listenForGateway(path, { control, database, log }));
  return starting.use(
    await startGateway({
      control: { path },
      token,
      listenAddress: gateway.host,
      ports: gateway.ports,
      stateDir,
      log,
    }),
  );
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
