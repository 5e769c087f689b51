/** The `/ip service` settings a policy means on a router. Pure. */
import { SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import { ipService } from "@portreeve/routeros";
import type { StoredService } from "../database/index.ts";
import type { DesiredMenu, DesiredRow, RouterFacts } from "../reconcile/types.ts";

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
  /** The service Portreeve comes in by on this site, as RouterOS calls it. */
  readonly managementTransport: "api" | "api-ssl";
}

export function desired(policy: PolicyFacts, router: RouterFacts): DesiredMenu[] {
  // Off-boarding leaves the services as they are: opening what a policy closed would be worse than leaving it.
  if (router.offboarding) return [];
  const rows = SERVICE_NAMES.map((name) => serviceRow(name, policy, router.managementAddress));
  return [{ menu: ipService, rows, owns: () => false }];
}

function serviceRow(name: ServiceName, policy: PolicyFacts, managementAddress: string): DesiredRow {
  const service = policy.services[name];
  if (!service) throw new Error(`policy without ${name}`);
  const key = ROUTEROS_SERVICE[name];
  const port = String(service.port);
  const wayIn = key === policy.managementTransport;
  // Whatever is stored, the service we come in by stays open to us. Requests that say otherwise are refused
  // before they are stored; this line holds should one get past.
  if (!service.enabled && !wayIn) return { key, fields: { port, disabled: "true" } };
  const fields = { port, disabled: "false", address: admitted(service, policy, managementAddress).join(",") };
  return wayIn ? { key, fields, wayIn } : { key, fields };
}

/** Who may reach an enabled service: always us, then the networks named, or the trusted ones where none are. */
function admitted(
  service: StoredService,
  policy: Pick<PolicyFacts, "trustedNetworks">,
  managementAddress: string,
): string[] {
  const networks = service.networks?.length ? service.networks : policy.trustedNetworks;
  return [...new Set([hostNetwork(managementAddress), ...networks])];
}

/** A single address as a network. */
export function hostNetwork(address: string): string {
  return address.includes(":") ? `${address}/128` : `${address}/32`;
}
