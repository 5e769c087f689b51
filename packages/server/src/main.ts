/** Builds the server from its settings: what needs what, started in order and stopped in the opposite one. */
import type { AddressInfo } from "node:net";
import { portalRoot } from "@portreeve/portal";
import type { Logger } from "pino";
import { auditRoutes } from "./audit/index.ts";
import { assertScopes } from "./authorization/index.ts";
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
  type Connection,
  Database,
  migrate,
  Notifications,
  SiteLocks,
  startEmbedded,
  waitForServer,
} from "./database/index.ts";
import { ExposureSchedule, ExposureService, exposureRoutes } from "./exposure/index.ts";
import { Gateway } from "./gateway/index.ts";
import { HardeningService, hardeningContributor, hardeningRoutes } from "./hardening/index.ts";
import { buildApp } from "./http/index.ts";
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
import { Driver, Reconciler } from "./reconcile/index.ts";
import { RolloutEngine, RolloutService, rolloutRoutes } from "./rollouts/index.ts";
import {
  AddressRules,
  SITE_CHANNEL,
  SITE_STATE_CHANNEL,
  SiteService,
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
  const { pooled, direct, pooler } = await databaseConnections(config, log, starting);
  await migrate(direct, { log });
  const database = starting.use(await Database.open({ connection: pooled, pooler, maxConnections: 20, log }));
  const vault = await openVault(database, config.masterKeyFile);

  const addresses = new AddressRules({ allowLoopback: config.allowLoopbackSites });
  const localAddress = await ownManagementAddress(config.managementAddress);
  const sites = new SiteService({ vault, addresses, parts: [policySitePart, certificateSitePart] });
  const rollouts = new RolloutService({ sites, setCurrentRevision });
  const policies = new PolicyService({ rollouts, managementAddress: config.managementAddress });
  const credentials = new CredentialService({ vault, sites, username: config.apiUsername });
  const transientAccess = new TransientAccessService({ vault, sites, policies, ports: config.gateway.ports });
  const access = starting.use(
    new CredentialAccess({ database, vault, addresses, localAddress, username: config.apiUsername }),
  );
  const reconciler = new Reconciler({
    database,
    sites: siteRecords(database),
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
  let driver: Driver | undefined;
  let engine: RolloutEngine | undefined;
  if (config.roles.has("reconciler")) {
    driver = await startReconciler(reconciler, { config, connection: direct, database, log }, starting);
    engine = new RolloutEngine({ database, rollouts, log });
    engine.start();
    starting.defer(() => engine?.stop());
    if (config.exposureHours > 0) {
      const schedule = new ExposureSchedule({
        database,
        check: (site, signal) => exposure.checkClaimed(site, signal),
        log,
      });
      schedule.start();
      starting.defer(() => schedule.stop());
    }
  }
  let doorkeeper: Doorkeeper | undefined;
  if (config.roles.has("gateway")) {
    const gateway = starting.use(new Gateway({ listenAddress: config.gateway.host, log }));
    doorkeeper = new Doorkeeper({ database, gateway, sites, addresses, localAddress, log });
    doorkeeper.start();
    starting.defer(() => doorkeeper?.stop());
  }
  const notifications = starting.use(await listenForChanges(direct, log, { driver, engine, doorkeeper }));

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
      ...siteRoutes(sites),
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
      readiness: {
        database: async () => (await database.problem()) ?? notifications.problem,
        reconciler: async () => driver?.problem,
        gateway: async () => doorkeeper?.problem,
      },
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
): Promise<DatabaseConnections> {
  if (config.databaseUrl === undefined) {
    const { connection } = starting.use(await startEmbedded({ dataDir: config.dataDir, log }));
    return { pooled: connection, direct: connection, pooler: false };
  }
  const direct = config.databaseDirectUrl ?? config.databaseUrl;
  await waitForServer(direct, { log });
  return { pooled: config.databaseUrl, direct, pooler: config.databaseDirectUrl !== undefined };
}

interface ReconcilerParts {
  readonly config: Config;
  readonly connection: Connection;
  readonly database: Database;
  readonly log: Logger;
}

async function startReconciler(
  reconciler: Reconciler,
  parts: ReconcilerParts,
  starting: AsyncDisposableStack,
): Promise<Driver> {
  const locks = starting.use(await SiteLocks.open({ connection: parts.connection }));
  const driver = new Driver({
    list: siteRecords(parts.database).list,
    run: (siteId, signal) => reconciler.run(siteId, signal),
    tryLock: (siteId) => locks.tryLock(siteId),
    periodMs: parts.config.reconcileSeconds * 1000,
    concurrency: RECONCILE_CONCURRENCY,
    log: parts.log,
  });
  driver.start();
  starting.defer(() => driver.stop());
  return driver;
}

interface Wakeable {
  readonly driver: Driver | undefined;
  readonly engine: RolloutEngine | undefined;
  readonly doorkeeper: Doorkeeper | undefined;
}

/** Told of changes by whichever process made them. After a lost connection everything is looked at afresh. */
function listenForChanges(
  connection: Connection,
  log: Logger,
  { driver, engine, doorkeeper }: Wakeable,
): Promise<Notifications> {
  return Notifications.open({
    connection,
    channels: [SITE_CHANNEL, SITE_STATE_CHANNEL, ACCESS_CHANNEL],
    onNotification: (channel, id) => {
      if (channel === SITE_STATE_CHANNEL) return engine?.wake();
      if (channel === SITE_CHANNEL) driver?.wake(id);
      doorkeeper?.wake(); // a policy that moves a port moves the grants' targets too
    },
    onReconnect: () => {
      void driver?.wakeAll();
      engine?.wake();
      doorkeeper?.wake();
    },
    log,
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
