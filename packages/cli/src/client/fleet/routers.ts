/** What the changes of a comparison would do to the routers, as the server reads it from the live ones. */
import {
  MAX_PREVIEW_SITES,
  type PolicyInput,
  type PolicyPreview,
  type SitePreview,
} from "@portreeve/api-schema";
import { printable } from "../../print.ts";
import type { Api } from "../api.ts";
import type { Change, NamedSite } from "./compare.ts";
import { inputOf } from "./differences.ts";
import type { Current } from "./resolve.ts";

/** Sites, and the policy they would be under. */
export interface Outlook {
  /** The policy to ask by; one that does not exist yet is asked for by the default one, as a draft. */
  readonly policyId: string;
  readonly input: PolicyInput;
  readonly sites: readonly NamedSite[];
}

/** Every site that a change concerns, once, with the policy it ends up with. Pure. */
export function outlooks(changes: readonly Change[], { policies, sites }: Current): Outlook[] {
  const standing = policies.find((policy) => policy.default);
  if (!standing) return [];
  const updates = changes.filter((change) => change.kind === "change");
  const moves = changes.filter((change) => change.kind === "move");
  const deletions = changes.filter((change) => change.kind === "delete");
  const moved = new Set(moves.flatMap((move) => move.sites.map(({ id }) => id)));
  const fallback = updates.find(({ id }) => id === standing.id)?.input ?? inputOf(standing);
  const staying = (policyId: string) =>
    sites.filter(({ id, policy_id }) => policy_id === policyId && !moved.has(id));
  return [
    ...updates.map(({ id, input }) => ({ policyId: id, input, sites: staying(id) })),
    ...moves.map((move) => ({ policyId: move.id ?? standing.id, input: move.input, sites: move.sites })),
    ...deletions.map((deletion) => ({ policyId: standing.id, input: fallback, sites: deletion.sites })),
  ].filter((outlook) => outlook.sites.length > 0);
}

/** Ask the server; each router is read while we wait, fifty at most in one request. */
export async function previewRouters(api: Api, all: readonly Outlook[]): Promise<SitePreview[]> {
  const previews: SitePreview[] = [];
  for (const { policyId, input, sites } of all) {
    for (let start = 0; start < sites.length; start += MAX_PREVIEW_SITES) {
      const some = sites.slice(start, start + MAX_PREVIEW_SITES).map(({ id }) => id);
      const path = `/v1/control-plane/policies/${policyId}/preview`;
      const answer = (await api.request("POST", path, { policy: input, sites: some })) as PolicyPreview;
      previews.push(...answer.data);
    }
  }
  return previews;
}

/** Each router with its steps, in RouterOS's own words. */
export function describeRouters(previews: readonly SitePreview[]): string {
  const lines = previews.flatMap(({ name, reached, reason, steps }) => {
    if (!reached) return [`router ${name} could not be read: ${reason}`];
    if (steps.length === 0) return [`router ${name} stays as it is`];
    return [`router ${name}`, ...steps.map(({ text }) => `    ${text}`)];
  });
  return lines.map(printable).join("\n");
}
