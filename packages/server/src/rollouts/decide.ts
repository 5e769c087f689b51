/**
 * What a rollout does next, from how far its sites are. Pure: no clock, no database.
 *
 * Sites are taken in the order given. A wave but the last takes only sites that can be reached, so it always proves
 * something; it ends when it is full and each of its sites is verified or has failed. A site that can't be reached holds
 * nobody up: it has its turn once it is back, or in the last wave, which takes everybody left.
 */
import type { RolloutSiteState, RolloutState } from "@portreeve/api-schema";
import type { SiteId } from "../kernel/ids.ts";
import { waveEnds } from "./waves.ts";

/** A wave stops the rollout when so many of its reached sites have failed: percent, rounded down, at least one. */
const FAILED_PERCENT = 10;

export interface SiteProgress {
  readonly siteId: SiteId;
  readonly state: Exclude<RolloutSiteState, "left">;
  /** The wave it was started in; null before. */
  readonly wave: number | null;
  /** Somebody resumed in spite of its failure. */
  readonly excused: boolean;
}

export type Decision =
  | { readonly action: "wait" }
  /** Give these sites the revision. */
  | { readonly action: "start"; readonly wave: number; readonly siteIds: readonly SiteId[] }
  /** These can't be reached: let others have their turn. */
  | { readonly action: "give back"; readonly siteIds: readonly SiteId[] }
  | { readonly action: "stop"; readonly reason: string }
  | { readonly action: "end"; readonly state: "done" | "rolled_back" };

const WAIT: Decision = { action: "wait" };

export function decide(state: RolloutState, sites: readonly SiteProgress[]): Decision {
  switch (state) {
    case "running":
      return decideRunning(sites);
    case "paused":
    case "stopped":
      // Repaired by hand or by a later try: nothing is left to resume.
      return sites.every((site) => site.state === "verified") ? { action: "end", state: "done" } : WAIT;
    case "rolling_back":
      return sites.every(isBack) ? { action: "end", state: "rolled_back" } : WAIT;
    default:
      return WAIT;
  }
}

function decideRunning(sites: readonly SiteProgress[]): Decision {
  const reason = reasonToStop(sites);
  if (reason !== undefined) return { action: "stop", reason };
  const started = sites.filter((site) => site.wave !== null);
  const gone = started.filter((site) => site.state === "unreachable");
  if (gone.length > 0 && started.length < sites.length) return { action: "give back", siteIds: idsOf(gone) };
  const next = nextSites(sites, started);
  if (next.siteIds.length > 0) return { action: "start", ...next };
  return sites.every(isFinished) ? { action: "end", state: "done" } : WAIT;
}

/** The sites that have their turn now, and their wave. */
function nextSites(
  sites: readonly SiteProgress[],
  started: readonly SiteProgress[],
): { wave: number; siteIds: SiteId[] } {
  const ends = waveEnds(sites.length);
  const current = Math.max(0, ...started.map((site) => site.wave ?? 0));
  const index = ends.findIndex((end) => end > started.length);
  const wave = Math.max(index + 1, current);
  const mayStart = index !== -1 && (wave === current || started.every(isFinished));
  if (!mayStart) return { wave, siteIds: [] };
  const isLast = index === ends.length - 1;
  const candidates = sites.filter((site) => site.wave === null && (isLast || site.state === "waiting"));
  return { wave, siteIds: idsOf(candidates.slice(0, (ends[index] as number) - started.length)) };
}

/** Too many failures in one wave. Where there is one wave only, there is nothing to stop. */
function reasonToStop(sites: readonly SiteProgress[]): string | undefined {
  if (waveEnds(sites.length).length === 1) return undefined;
  const waves = Map.groupBy(sites, (site) => site.wave);
  for (const [wave, members] of waves) {
    if (wave === null) continue;
    const reached = members.filter((site) => site.state !== "unreachable");
    const failed = reached.filter((site) => site.state === "failed" && !site.excused);
    if (failed.length >= Math.max(1, Math.floor((reached.length * FAILED_PERCENT) / 100)))
      return `${failed.length} of ${count(reached.length, "site")} of wave ${wave} failed`;
  }
  return undefined;
}

function isFinished({ state }: SiteProgress): boolean {
  return state === "verified" || state === "failed";
}

/** Back on its former revision, or never away from it: one that had it before, and was verified, stays so. */
function isBack({ state, wave }: SiteProgress): boolean {
  if (wave === null) return state !== "reverting";
  return state === "reverted" || state === "verified";
}

function idsOf(sites: readonly SiteProgress[]): SiteId[] {
  return sites.map((site) => site.siteId);
}

/** `1 site`, `2 sites`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
