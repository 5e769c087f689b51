/** How this process talks to routers: the logins, and the reconciler with every module that wants rows on a router. */
import { transientAccessContributor } from "../access/index.ts";
import { type CertificateContributor, certificateContributor } from "../certificates/index.ts";
import { credentialContributor } from "../credentials/index.ts";
import { hardeningContributor } from "../hardening/index.ts";
import { policyContributor } from "../policies/index.ts";
import { ASSESSED_MENUS, certainLockOut } from "../reachability/index.ts";
import { databaseHandovers, Reconciler, secretsOf } from "../reconcile/index.ts";
import { apiLinks, RouterLogins, siteWorkflows } from "../routers/index.ts";
import { type Sightings, siteRecords } from "../sites/index.ts";
import type { Foundation } from "./foundation.ts";
import type { RoleContext } from "./role.ts";

export interface Routers {
  readonly logins: RouterLogins;
  readonly certificates: CertificateContributor;
  readonly reconciler: Reconciler;
}

export interface RoutersOptions {
  readonly sightings: Sightings;
  /** This process works for the site, and keeps the connection to its router. */
  readonly isOurs: (siteId: string) => boolean;
  /** Something has changed on the router. */
  readonly onHeard: (siteId: string) => void;
}

/** @param starting closes what is opened here */
export function openRouters(
  { config: { apiUsername: username }, log }: RoleContext,
  { database, vault, addresses, localAddress }: Foundation,
  { sightings, isOurs, onHeard }: RoutersOptions,
  starting: AsyncDisposableStack,
): Routers {
  const logins = starting.use(
    new RouterLogins({ database, vault, sightings, isOurs, onHeard, addresses, localAddress }),
  );
  const certificates = certificateContributor({ database, vault });
  const contributors = [
    policyContributor,
    credentialContributor(vault, username),
    transientAccessContributor(vault),
    hardeningContributor,
    certificates,
  ];
  const reconciler = new Reconciler({
    database,
    sites: siteRecords(database, sightings),
    links: apiLinks({ access: logins, openSecret: secretsOf(database, contributors) }),
    workflows: siteWorkflows({ database, vault, logins, username }),
    handovers: databaseHandovers(database),
    contributors,
    guard: {
      menus: ASSESSED_MENUS,
      reasonAgainst: (observed, steps, { managementAddress: address, service }) =>
        certainLockOut(observed, steps, { address, service }),
    },
    log,
  });
  return { logins, certificates, reconciler };
}
