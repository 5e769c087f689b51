/**
 * Would a policy lock somebody out of the sites it is for: Portreeve itself, or the caller? Evaluated by what is
 * stored, without a router: what a router's own rules add to it is the preview's to say. Pure.
 */
import { SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import type { FieldErrors } from "../kernel/errors.ts";
import { type PolicyFacts, ROUTEROS_SERVICE } from "./desired.ts";
import { hostNetwork, isWithin } from "./networks.ts";
import type { RouterContent } from "./store.ts";

/** What decides whom a policy lets in. */
type Admission = Pick<RouterContent, "services" | "trusted_networks">;

/** A site that is about to be under another policy, or under its own, changed. */
export interface AffectedSite {
  readonly name: string;
  /** The transport Portreeve uses under that policy. */
  readonly management_transport: PolicyFacts["managementTransport"];
  /** What its router is to have so far. */
  readonly now: Admission;
}

/** Services a person logs in through. */
const FOR_PEOPLE: readonly ServiceName[] = ["winbox", "ssh", "http", "https", "telnet"];

/** Sites named in one message. */
const MAX_NAMED = 5;

/**
 * Fields that would close the service Portreeve uses. A list of networks can't: our address is put into every
 * list that is delivered.
 */
export function managementLockout(policy: Admission, sites: readonly AffectedSite[]): FieldErrors {
  const errors: FieldErrors = {};
  for (const name of SERVICE_NAMES) {
    const through = sites.filter((site) => ROUTEROS_SERVICE[name] === site.management_transport);
    if (through.length === 0 || policy.services[name]?.enabled) continue;
    errors[`${name}.enabled`] = [`must be true: Portreeve reaches ${named(through)} through ${name}`];
  }
  return errors;
}

/**
 * Fields that would end the caller's access: admitted to a site by a service for people so far, and by none then.
 * @param caller an IP address, or "unknown", which nothing is said about
 */
export function callerLockout(
  policy: Admission,
  sites: readonly Pick<AffectedSite, "name" | "now">[],
  caller: string,
): FieldErrors {
  if (caller === "unknown" || FOR_PEOPLE.some((name) => admits(policy, name, caller))) return {};
  const errors: FieldErrors = {};
  for (const name of FOR_PEOPLE) {
    const lost = sites.filter(({ now }) => admits(now, name, caller));
    if (lost.length === 0) continue;
    const field = policy.services[name]?.enabled ? `${name}.networks` : `${name}.enabled`;
    errors[field] = [`would end your access from ${caller} to ${named(lost)}`];
  }
  return errors;
}

/** An enabled service without networks is for the trusted ones. */
function admits({ services, trusted_networks }: Admission, name: ServiceName, address: string): boolean {
  const service = services[name];
  if (!service?.enabled) return false;
  const networks = service.networks?.length ? service.networks : trusted_networks;
  return networks.some((network) => isWithin(hostNetwork(address), network));
}

function named(sites: readonly { readonly name: string }[]): string {
  const more = sites.length - MAX_NAMED;
  const names = sites.slice(0, MAX_NAMED).map(({ name }) => name);
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
