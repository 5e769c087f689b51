/** Which policies and sites of a server the names in a fleet file stand for. Pure. */
import type { Policy, Site } from "@portreeve/api-schema";
import type { Problem } from "./file.ts";
import { type Fleet, type FleetPolicy, pathOf } from "./fleet.ts";

/** What a Portreeve has. */
export interface Current {
  readonly policies: readonly Policy[];
  readonly sites: readonly Site[];
  /** The network that the server puts first into the lists of enabled services. */
  readonly managementNetwork: string;
}

export interface ResolvedPolicy extends FleetPolicy {
  /** The one of the server it stands for; undefined where there is none yet. */
  readonly existing: Policy | undefined;
  /** The sites that are to be under it, by their place in the file's list. */
  readonly resolvedSites: readonly Site[];
}

/** @throws OperatorError the file names what is not there, or what is there twice */
export function resolve(fleet: Fleet, current: Current): ResolvedPolicy[] {
  const problems: Problem[] = [];
  const taken = new Map<string, FleetPolicy>();
  // A site on its way out can't be moved, and its successor may have its name already.
  const staying = current.sites.filter(({ status }) => status !== "deleting");
  const sites = Map.groupBy(staying, ({ name }) => name);
  const resolved = fleet.policies.map((policy): ResolvedPolicy => {
    const existing = findPolicy(policy, current.policies, problems);
    const holder = existing && taken.get(existing.id);
    if (holder) {
      problems.push({ path: pathOf(policy), message: `names the same policy as ${holder.key}` });
    }
    if (existing) taken.set(existing.id, policy);
    const resolvedSites = policy.sites.flatMap((name, index) => {
      const [site, ...more] = sites.get(name) ?? [];
      if (site && more.length === 0) return [site];
      const message = site
        ? `${more.length + 1} sites are called ${name}; rename one: portreeve sites rename ${site.id} <name>`
        : `no site is called ${name}; portreeve sites list shows them`;
      problems.push({ path: pathOf(policy, "sites", index), message });
      return [];
    });
    return { ...policy, existing, resolvedSites };
  });
  if (problems.length > 0) throw fleet.file.refuse(problems);
  return resolved;
}

function findPolicy(
  policy: FleetPolicy,
  policies: readonly Policy[],
  problems: Problem[],
): Policy | undefined {
  const { key, input, bySlug, isDefault } = policy;
  const problem = (message: string) => void problems.push({ path: pathOf(policy), message });
  const found = policies.filter((one) => (bySlug ? one.slug === key : one.name === input.name));
  if (bySlug && found.length === 0) {
    problem("no policy has this slug; to name a new policy by its key, take `name` out");
  }
  if (found.length > 1) {
    const slugs = found.map(({ slug }) => slug).join(" or ");
    problem(`${found.length} policies are called so; write ${slugs} instead, and name: ${key} below it`);
  }
  if (!isDefault) return found[0];
  const standing = policies.find((one) => one.default);
  if (found[0] && found[0].id !== standing?.id) {
    problem(`can't become the default policy; ${standing?.name} is, and can only be changed`);
  }
  return standing;
}
