/** What a site's policy says of one port and one source, for a check of the site from outside. */
import type { ServiceName } from "@portreeve/api-schema";
import type { Trx } from "../database/index.ts";
import type { SiteRow } from "../sites/index.ts";
import { policyOf } from "./contributor.ts";
import { openServices, type PolicyFacts } from "./desired.ts";
import { isOpenBeyond, type OpenService } from "./management-filter.ts";
import { hostNetwork, isWithin } from "./networks.ts";
import { findPolicy } from "./store.ts";

export interface SitePolicy {
  readonly id: string;
  readonly name: string;
  readonly services: PolicyFacts["services"];
  readonly open: readonly OpenService[];
  /** Ports on which new connections are counted, and the fourth is banned. */
  readonly counted: readonly number[];
}

export interface PolicyDecision {
  readonly admits: boolean;
  /** `policy edge has ssh disabled` */
  readonly reason: string;
}

/**
 * The policy that a site is under.
 * @param site adopted: its router has told from which address it sees Portreeve
 */
export async function sitePolicy(trx: Trx, site: SiteRow): Promise<SitePolicy> {
  const policy = await findPolicy(trx, site.policy_id);
  if (!policy || site.management_address === null) throw new Error(`site ${site.id} has not been adopted`);
  const { facts } = await policyOf(trx, site.id);
  const management = hostNetwork(site.management_address);
  const open = openServices(facts, management);
  const trusted = [management, ...facts.trustedNetworks];
  const counted = facts.bruteForceProtection ? open.filter((service) => isOpenBeyond(trusted, service)) : [];
  return {
    id: policy.id,
    name: policy.name,
    services: facts.services,
    open,
    counted: counted.map(({ port }) => port),
  };
}

/**
 * Does the policy let this source in on this port? Pure.
 * @param service whose port it usually is, for the reason
 * @param source an IPv4 or IPv6 address
 */
export function evaluatePolicy(
  { name, services, open }: SitePolicy,
  { port, service }: { readonly port: number; readonly service: ServiceName },
  source: string,
): PolicyDecision {
  const policy = `policy ${name}`;
  const here = open.find((candidate) => candidate.port === port);
  if (here) {
    const network = here.networks.find((candidate) => isWithin(hostNetwork(source), candidate));
    return network === undefined
      ? { admits: false, reason: `${policy} opens ${here.name} on ${port}, but not to ${source}` }
      : { admits: true, reason: `${policy} opens ${here.name} on ${port} to ${network}` };
  }
  const elsewhere = open.find((candidate) => candidate.name === service);
  if (elsewhere)
    return { admits: false, reason: `${policy} has ${service} on ${elsewhere.port}, not on ${port}` };
  const usual = services[service]?.port;
  const where = usual === undefined || usual === port ? "" : ` (on ${usual})`;
  return { admits: false, reason: `${policy} has ${service} disabled${where}` };
}
