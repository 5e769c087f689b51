/** What a policy means on a router: the `/ip service` settings and the management filter. Pure. */
import { type ManagementTransport, SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import { ipService } from "@portreeve/routeros";
import type { Selectable } from "kysely";
import type { SiteConnectionsTable, SitePoliciesTable, StoredService } from "../database/index.ts";
import type { DesiredMenu, DesiredRow, RouterFacts } from "../reconcile/types.ts";
import { managementFilter, type OpenService } from "./management-filter.ts";
import { hostNetwork } from "./networks.ts";
import type { RouterContent } from "./store.ts";

/** Our names of the services beside RouterOS's. */
export const ROUTEROS_SERVICE: Record<ServiceName, string> = {
  winbox: "winbox",
  ssh: "ssh",
  http: "www",
  https: "www-ssl",
  telnet: "telnet",
  ftp: "ftp",
  api: "api",
  api_ssl: "api-ssl",
};

export interface PolicyFacts {
  readonly services: Readonly<Record<string, StoredService>>;
  readonly trustedNetworks: readonly string[];
  /** The service Portreeve uses on this site, as RouterOS calls it. */
  readonly managementTransport: ManagementTransport;
  readonly customInputRules: boolean;
  readonly bruteForceProtection: boolean;
  /** What differs was changed by hand, and is only to be shown; but for the service we come in by. */
  readonly reportDrift: boolean;
}

/**
 * @param revisionId which revision of the policy this is; undefined for a draft, which is no revision yet
 */
export function policyFacts(
  policy: RouterContent,
  site: Pick<Selectable<SiteConnectionsTable>, "management_transport"> &
    Pick<Selectable<SitePoliciesTable>, "verified_revision_id">,
  revisionId: string | undefined,
): PolicyFacts {
  return {
    services: policy.services,
    trustedNetworks: policy.trusted_networks,
    managementTransport: site.management_transport,
    customInputRules: policy.custom_input_rules,
    bruteForceProtection: policy.brute_force_protection,
    // What was never on the router did not drift from it.
    reportDrift:
      policy.drift === "report" && revisionId !== undefined && site.verified_revision_id === revisionId,
  };
}

export function desired(policy: PolicyFacts, router: RouterFacts): DesiredMenu[] {
  // Off-boarding leaves the services as they are: opening what a policy closed would be worse than leaving it.
  if (router.offboarding) return managementFilter(undefined);
  const trusted = [hostNetwork(router.managementAddress), ...policy.trustedNetworks];
  const open = openServices(policy, trusted[0] as string);
  const filter = managementFilter({ ...policy, services: open, trusted });
  const rows = SERVICE_NAMES.map((name) => serviceRow(name, policy, open));
  const menus = [{ menu: ipService, rows, owns: "none" as const }, ...filter];
  return menus.map((menu) => ({ ...menu, reportOnly: policy.reportDrift }));
}

/**
 * Whatever is stored, the service we come in by stays open to us. Requests that say otherwise are refused before they
 * are stored; this holds should one get past.
 */
export function openServices(policy: PolicyFacts, managementNetwork: string): OpenService[] {
  return SERVICE_NAMES.flatMap((name) => {
    const service = policy.services[name];
    if (!service) throw new Error(`policy without ${name}`);
    const managementPath = ROUTEROS_SERVICE[name] === policy.managementTransport;
    if (!service.enabled && !managementPath) return [];
    // Always us, then the networks named, or the trusted ones where none are; only us where nobody else is to come.
    const named = service.networks?.length ? service.networks : policy.trustedNetworks;
    const networks = [...new Set([managementNetwork, ...(service.enabled ? named : [])])];
    return [{ name, port: service.port, networks, managementPath }];
  });
}

function serviceRow(name: ServiceName, policy: PolicyFacts, open: readonly OpenService[]): DesiredRow {
  const key = ROUTEROS_SERVICE[name];
  const port = String(policy.services[name]?.port);
  const service = open.find((candidate) => candidate.name === name);
  if (!service) return { key, fields: { port, disabled: "true" } };
  const fields = { port, disabled: "false", address: service.networks.join(",") };
  return service.managementPath
    ? { key, fields, managementPath: true, alwaysRepaired: true }
    : { key, fields };
}
