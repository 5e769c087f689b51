import type {
  Rollout,
  RolloutDetails,
  RolloutSite,
  RolloutSiteState,
  RolloutState,
} from "@portreeve/api-schema";
import { count } from "./decide.ts";
import type { ShownRollout, ShownSite, Tally } from "./list.ts";
import { waveSizes } from "./waves.ts";

export function presentRollout(row: ShownRollout): Rollout {
  const sites = sum(row.tallies);
  return {
    id: row.id,
    policy_id: row.policy_id,
    revision: row.number,
    state: row.state,
    reason: row.reason ?? waitsFor(row.state, sites),
    sites,
    created_at: row.created_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}

/** @param failed and `unreachable`: the first of those sites, with the reasons */
export function presentDetails(
  row: ShownRollout,
  { failed, unreachable }: { failed: readonly ShownSite[]; unreachable: readonly ShownSite[] },
): RolloutDetails {
  const taking = row.tallies.filter(({ state }) => state !== "left");
  const byWave = Map.groupBy(taking, ({ wave }) => wave ?? 0);
  const sitesOf = (wave: number) => sum(byWave.get(wave) ?? []);
  const started = Array.from({ length: Math.max(...byWave.keys(), 0) }, (_, index) =>
    total(sitesOf(index + 1)),
  );
  return {
    ...presentRollout(row),
    waves: waveSizes(total(sum(taking)), started).map((size, index) => ({
      number: index + 1,
      size,
      sites: sitesOf(index + 1),
    })),
    failed: failed.map(presentSite),
    unreachable: unreachable.map(presentSite),
  };
}

export function presentSite({ site_id, name, wave, state, reason }: ShownSite): RolloutSite {
  const hasReason = state === "failed" || state === "unreachable";
  return { site_id, name, wave, state, reason: hasReason ? reason : null };
}

/** Whom it waits for while nobody has to do anything. */
function waitsFor(state: RolloutState, { failed = 0, unreachable = 0 }: SitesByState): string | null {
  const back = state === "rolling_back";
  if (!back && state !== "running") return null;
  const parts = [
    ...(unreachable > 0 ? [`${count(unreachable, "site")} that can't be reached`] : []),
    ...(back && failed > 0 ? [`${count(failed, "site")} that failed`] : []),
  ];
  return parts.length > 0 ? `waits for ${parts.join(" and ")}` : null;
}

type SitesByState = Partial<Record<RolloutSiteState, number>>;

function sum(tallies: readonly Tally[]): SitesByState {
  const sites: SitesByState = {};
  for (const tally of tallies) sites[tally.state] = (sites[tally.state] ?? 0) + tally.sites;
  return sites;
}

function total(sites: SitesByState): number {
  return Object.values(sites).reduce((all, number) => all + number, 0);
}
