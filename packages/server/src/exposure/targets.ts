/** Which ports of a site are looked at. Pure. */
import { SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import type { SitePolicy } from "../policies/index.ts";

export interface Target {
  readonly port: number;
  /** Whose port it is; its protocol is spoken there. */
  readonly service: ServiceName;
}

/** RouterOS's own. Source: MikroTik manual, "Services". */
const STANDARD_PORTS: Readonly<Record<ServiceName, number>> = {
  winbox: 8291,
  ssh: 22,
  http: 80,
  https: 443,
  telnet: 23,
  ftp: 21,
  api: 8728,
  api_ssl: 8729,
};

/**
 * The ports the policy names, and RouterOS's own: a service that the policy moved may still answer where it was, and a
 * router that was reset answers there. At most sixteen.
 */
export function targetsOf({ services, open }: Pick<SitePolicy, "services" | "open">): Target[] {
  const targets: Target[] = [
    ...open.map(({ port, name }) => ({ port, service: name })),
    ...SERVICE_NAMES.map((service) => ({
      port: services[service]?.port ?? STANDARD_PORTS[service],
      service,
    })),
    ...SERVICE_NAMES.map((service) => ({ port: STANDARD_PORTS[service], service })),
  ];
  const first = new Map<number, Target>();
  for (const target of targets) if (!first.has(target.port)) first.set(target.port, target);
  return [...first.values()];
}
