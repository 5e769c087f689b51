/** What a fleet file would change in a Portreeve. Pure: the file and what the server has come in, changes come out. */
import type { PolicyInput } from "@portreeve/api-schema";
import { type Difference, differences, inputOf } from "./differences.ts";
import type { Fleet } from "./fleet.ts";
import { type Current, type ResolvedPolicy, resolve } from "./resolve.ts";

export interface NamedSite {
  readonly id: string;
  readonly name: string;
}

export interface Move extends NamedSite {
  /** Of the policy it is under now. */
  readonly from: string;
  /** Its place in the file's list. */
  readonly index: number;
}

/** `key` is the policy's in the file, here and below. */
export interface CreatePolicy {
  readonly kind: "create";
  readonly key: string;
  readonly input: PolicyInput;
}

export interface ChangePolicy {
  readonly kind: "change";
  readonly key: string;
  readonly id: string;
  readonly input: PolicyInput;
  readonly differences: readonly Difference[];
}

export interface MoveSites {
  readonly kind: "move";
  readonly key: string;
  /** Of the policy they go to; undefined while it does not exist. */
  readonly id: string | undefined;
  /** What that policy is to say. */
  readonly input: PolicyInput;
  readonly sites: readonly Move[];
}

export interface DeletePolicy {
  readonly kind: "delete";
  readonly id: string;
  readonly name: string;
  /** They fall back to the default policy. */
  readonly sites: readonly NamedSite[];
}

export type Change = CreatePolicy | ChangePolicy | MoveSites | DeletePolicy;

export interface Comparison {
  /** In the order in which they have to be made. */
  readonly changes: readonly Change[];
  /** Sites under a policy of the file that the file does not name; they stay where they are. */
  readonly unnamed: readonly NamedSite[];
}

/**
 * Compare a fleet with what there is.
 * @param prune delete the policies that the file does not have
 * @throws OperatorError the file names what is not there, or what is there twice
 */
export function compare(fleet: Fleet, current: Current, { prune }: { prune: boolean }): Comparison {
  const resolved = resolve(fleet, current);
  const changes = resolved.flatMap((policy) => changeOf(policy, current.managementNetwork));
  const moves = resolved.flatMap((policy) => movesOf(policy, current));
  // Closing a service is refused while a site that is reached through it is under the policy.
  const late = changes.filter((change) => change.kind === "change" && closesManagementPath(change));
  const kept = new Set(resolved.flatMap(({ existing }) => existing?.id ?? []));
  const gone = current.policies.filter(({ id, default: isDefault }) => prune && !isDefault && !kept.has(id));
  const named = new Set(resolved.flatMap(({ resolvedSites }) => resolvedSites));
  const unnamed = current.sites.filter((site) => site.status !== "deleting" && !named.has(site));
  const under = (policy: string): NamedSite[] =>
    unnamed.filter((site) => site.policy_id === policy).map(({ id, name }) => ({ id, name }));
  return {
    changes: [
      ...changes.filter((change) => !late.includes(change)),
      ...moves,
      ...late,
      ...gone.map(({ id, name }) => ({ kind: "delete" as const, id, name, sites: under(id) })),
    ],
    unnamed: [...kept].flatMap(under),
  };
}

function changeOf(policy: ResolvedPolicy, managementNetwork: string): (CreatePolicy | ChangePolicy)[] {
  const { key, existing, input } = policy;
  if (!existing) return [{ kind: "create", key, input }];
  const found = differences(inputOf(existing), input, managementNetwork);
  return found.length === 0 ? [] : [{ kind: "change", key, id: existing.id, input, differences: found }];
}

function movesOf(policy: ResolvedPolicy, { policies }: Current): MoveSites[] {
  const { key, input, existing, resolvedSites } = policy;
  const sites = resolvedSites.flatMap(({ id, name, policy_id }, index) => {
    const from = policies.find((one) => one.id === policy_id)?.name ?? policy_id;
    return policy_id === existing?.id ? [] : [{ id, name, from, index }];
  });
  return sites.length === 0 ? [] : [{ kind: "move", key, id: existing?.id, input, sites }];
}

function closesManagementPath({ differences }: ChangePolicy): boolean {
  return differences.some(({ field, to }) => /^api(_ssl)?\.enabled$/.test(field) && to === "false");
}
