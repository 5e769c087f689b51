/** How this process talks to routers: the logins, and the reconciler with every module that wants rows on a router. */
import { certificateContributor } from "../certificates/index.ts";
import { CredentialAccess, credentialContributor } from "../credentials/index.ts";
import { hardeningContributor } from "../hardening/index.ts";
import { policyContributor } from "../policies/index.ts";
import { ASSESSED_MENUS, certainLockOut } from "../reachability/index.ts";
import { Reconciler } from "../reconcile/index.ts";
import { type Sightings, siteRecords } from "../sites/index.ts";
import { transientAccessContributor } from "../transient-access/index.ts";
import type { Foundation } from "./foundation.ts";
import type { RoleContext } from "./role.ts";

export interface Routers {
  readonly access: CredentialAccess;
  readonly reconciler: Reconciler;
}

/** @param starting closes what is opened here */
export function openRouters(
  { config, log }: RoleContext,
  { database, vault, addresses, localAddress }: Foundation,
  sightings: Sightings,
  starting: AsyncDisposableStack,
): Routers {
  const username = config.apiUsername;
  const access = starting.use(
    new CredentialAccess({ database, vault, sightings, addresses, localAddress, username }),
  );
  const reconciler = new Reconciler({
    database,
    sites: siteRecords(database, sightings),
    access,
    contributors: [
      policyContributor,
      credentialContributor(vault, username),
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
  return { access, reconciler };
}
