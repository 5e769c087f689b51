/** The role `api`: REST, portal and documentation, and the control plane's side of gateways. */
import type { AddressInfo } from "node:net";
import { portalRoot } from "@portreeve/portal";
import {
  ACCESS_CHANNEL,
  controlEndpoint,
  ensureLocalGateway,
  GATEWAY_CHANNEL,
  GatewayControl,
  gatewayRoutes,
  gatewayTasks,
  listenForGateway,
  TransientAccessService,
  transientAccessRoutes,
} from "../access/index.ts";
import { auditRoutes } from "../audit/index.ts";
import { assertScopes } from "../authorization/index.ts";
import { TaskRunner } from "../background/index.ts";
import { CertificateAuthorityService, certificateRoutes } from "../certificates/index.ts";
import { CredentialService, credentialRoutes } from "../credentials/index.ts";
import { type Connection, Notifications } from "../database/index.ts";
import { ExposureService, exposureRoutes } from "../exposure/index.ts";
import { HardeningService, hardeningRoutes } from "../hardening/index.ts";
import { buildApp } from "../http/index.ts";
import { InternalClient } from "../internal/index.ts";
import type { Route } from "../kernel/route.ts";
import { PolicyService, policyRoutes, previewRoutes, setCurrentRevision } from "../policies/index.ts";
import { RolloutService, rolloutRoutes } from "../rollouts/index.ts";
import { LatestSightings, SITE_CHANNEL, type SiteService, siteRoutes } from "../sites/index.ts";
import { Authenticator, ensureBootstrap, tokenRoutes } from "../tokens/index.ts";
import { type Foundation, openFoundation, problemsOf, siteService } from "./foundation.ts";
import { RouterQuestions } from "./questions.ts";
import type { RoleContext, RunningRole } from "./role.ts";

export async function startRole(context: RoleContext): Promise<RunningRole> {
  const { config, log } = context;
  await using starting = new AsyncDisposableStack();
  const foundation = await openFoundation(context, starting);
  const { database, vault, addresses, localAddress, direct } = foundation;
  const sites = siteService(foundation);
  const rollouts = new RolloutService({ sites, setCurrentRevision });
  const policies = new PolicyService({ rollouts, managementAddress: config.managementAddress });
  const control = starting.use(new GatewayControl({ database, sites, addresses, localAddress, log }));
  await listenForLocalGateway(context, foundation, control, starting);
  const runners = gatewayTasks(control).map((task) => new TaskRunner(task, { log }));
  for (const runner of runners) {
    runner.start();
    starting.defer(() => runner.stop());
  }
  const notifications = starting.use(await listenForChanges(direct, control, log));
  // Before the API answers, so that the first request is not refused.
  const bootstrapped = await ensureBootstrap(database, {
    token: config.bootstrapToken,
    onFirstCustomer: (trx, customerId) => policies.createDefault(trx, customerId),
  });
  const authenticator = starting.use(new Authenticator(database, log));
  const processes = starting.use(new InternalClient(vault.internalKeys()));
  const routes = routesOf(context, foundation, { sites, rollouts, policies, processes, control });
  assertScopes(routes);
  const own = async () =>
    problemsOf({
      database: (await database.problem()) ?? notifications.problem,
      api: runners.find(({ problem }) => problem !== undefined)?.problem,
    });
  const app = buildApp({
    log,
    database,
    vault,
    authenticate: (token, options) => authenticator.authenticate(token, options),
    routes,
    plugins: [(app) => controlEndpoint(app, { control, database, log })],
    problems: async () => ({ ...(await context.otherProblems()), ...(await own()) }),
    portalRoot,
    trustedProxies: config.trustedProxies,
  });
  starting.defer(() => app.close());
  await app.listen(config.http);
  const running = starting.move();
  return {
    url: config.publicUrl ?? urlOf(app.server.address() as AddressInfo),
    bootstrapToken: bootstrapped?.generatedToken?.reveal(),
    problems: own,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function listenForLocalGateway(
  { config, localGateway, log }: RoleContext,
  { database }: Foundation,
  control: GatewayControl,
  starting: AsyncDisposableStack,
): Promise<void> {
  if (!localGateway) return;
  const { gateway, entryPoint } = config;
  await ensureLocalGateway(database, { ...gateway, entryPoint, token: localGateway.token });
  starting.use(await listenForGateway(localGateway.socket, { control, database, log }));
}

/** Told of changes by whichever process made them. After a lost connection everything is compared afresh. */
function listenForChanges(
  connection: Connection,
  control: GatewayControl,
  log: RoleContext["log"],
): Promise<Notifications> {
  return Notifications.open({
    connection,
    channels: [SITE_CHANNEL, ACCESS_CHANNEL, GATEWAY_CHANNEL],
    onNotification: (channel, payload) => {
      if (channel === GATEWAY_CHANNEL) return control.heard(payload);
      // A policy that moves a port moves the grants' targets too.
      if (channel === SITE_CHANNEL) return control.siteChanged(payload);
      const [grantId = "", origin] = payload.split(" ");
      control.grantChanged(grantId, origin);
    },
    onReconnect: () => control.compare(),
    log,
  });
}

interface Services {
  readonly sites: SiteService;
  readonly rollouts: RolloutService;
  readonly policies: PolicyService;
  readonly processes: InternalClient;
  readonly control: GatewayControl;
}

function routesOf(
  { config }: RoleContext,
  { database, vault }: Foundation,
  { sites, rollouts, policies, processes, control }: Services,
): Route[] {
  const { apiUsername, exposureHours: hours } = config;
  const latest = new LatestSightings(database, processes.ask.bind(processes));
  const routers = new RouterQuestions(database, processes);
  const exposure = new ExposureService({ database, hours, look: routers.exposure.bind(routers) });
  const report = routers.hardening.bind(routers);
  const access = new TransientAccessService({ vault, sites, policies, origin: control.origin });
  return [
    ...siteRoutes(sites, latest),
    ...exposureRoutes({ sites, exposure }),
    ...policyRoutes(policies),
    ...rolloutRoutes(rollouts),
    ...previewRoutes(policies, routers.preview.bind(routers)),
    ...hardeningRoutes(new HardeningService({ sites, policies, report, apiUsername })),
    ...credentialRoutes(new CredentialService({ vault, sites, username: apiUsername })),
    ...certificateRoutes(new CertificateAuthorityService({ vault, sites })),
    ...transientAccessRoutes({ database, access, control }),
    ...gatewayRoutes(),
    ...tokenRoutes(),
    ...auditRoutes(),
  ];
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
