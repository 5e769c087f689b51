/** The role `api`: REST, portal and documentation. */
import type { AddressInfo } from "node:net";
import { portalRoot } from "@portreeve/portal";
import { auditRoutes } from "../audit/index.ts";
import { assertScopes } from "../authorization/index.ts";
import { CertificateAuthorityService, certificateRoutes } from "../certificates/index.ts";
import { CredentialService, credentialRoutes } from "../credentials/index.ts";
import { ExposureService, exposureRoutes } from "../exposure/index.ts";
import { HardeningService, hardeningRoutes } from "../hardening/index.ts";
import { buildApp } from "../http/index.ts";
import { InternalClient } from "../internal/index.ts";
import type { Route } from "../kernel/route.ts";
import {
  PolicyPreviews,
  PolicyService,
  policyRoutes,
  previewRoutes,
  setCurrentRevision,
} from "../policies/index.ts";
import { RolloutService, rolloutRoutes } from "../rollouts/index.ts";
import { LatestSightings, Sightings, type SiteService, siteRoutes } from "../sites/index.ts";
import { Authenticator, ensureBootstrap, tokenRoutes } from "../tokens/index.ts";
import { TransientAccessService, transientAccessRoutes } from "../transient-access/index.ts";
import { databaseProblem, type Foundation, openFoundation, problemsOf, siteService } from "./foundation.ts";
import type { RoleContext, RunningRole } from "./role.ts";
import { openRouters, type Routers } from "./routers.ts";

export async function startRole(context: RoleContext): Promise<RunningRole> {
  const { config, log } = context;
  await using starting = new AsyncDisposableStack();
  const foundation = await openFoundation(context, starting);
  const { database, vault } = foundation;
  const sites = siteService(foundation);
  const rollouts = new RolloutService({ sites, setCurrentRevision });
  const policies = new PolicyService({ rollouts, managementAddress: config.managementAddress });
  // Before the API answers, so that the first request is not refused.
  const bootstrapped = await ensureBootstrap(database, {
    token: config.bootstrapToken,
    onFirstCustomer: (trx, customerId) => policies.createDefault(trx, customerId),
  });
  const authenticator = starting.use(new Authenticator(database, log));
  const processes = starting.use(new InternalClient(vault.internalKeys()));
  const routers = openRouters(context, foundation, new Sightings(database), starting);
  const routes = routesOf(context, foundation, { sites, rollouts, policies, processes, routers });
  assertScopes(routes);
  const own = async () => problemsOf({ database: await databaseProblem(database) });
  const app = buildApp({
    log,
    database,
    vault,
    authenticate: (token) => authenticator.authenticate(token),
    routes,
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

interface Services {
  readonly sites: SiteService;
  readonly rollouts: RolloutService;
  readonly policies: PolicyService;
  readonly processes: InternalClient;
  readonly routers: Routers;
}

function routesOf(
  { config }: RoleContext,
  { database, vault, addresses, localAddress }: Foundation,
  { sites, rollouts, policies, processes, routers: { access, reconciler } }: Services,
): Route[] {
  const { apiUsername, entryPoint, exposureHours: hours } = config;
  const { ports } = config.gateway;
  const latest = new LatestSightings(database, processes.ask.bind(processes));
  const exposure = new ExposureService({ database, addresses, ownAddress: localAddress, hours });
  const previews = new PolicyPreviews((siteId, options, signal) =>
    reconciler.preview(siteId, options, signal),
  );
  return [
    ...siteRoutes(sites, latest),
    ...exposureRoutes({ sites, exposure }),
    ...policyRoutes(policies),
    ...rolloutRoutes(rollouts),
    ...previewRoutes(policies, previews),
    ...hardeningRoutes(new HardeningService({ sites, policies, access, apiUsername })),
    ...credentialRoutes(new CredentialService({ vault, sites, username: apiUsername })),
    ...certificateRoutes(new CertificateAuthorityService({ vault, sites })),
    ...transientAccessRoutes({
      access: new TransientAccessService({ vault, sites, policies, ports }),
      entryPoint,
      opened: async () => {},
      closed: async () => {},
    }),
    ...tokenRoutes(),
    ...auditRoutes(),
  ];
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
