/** Previews of many sites, each by itself: one router that can't be read leaves the others their answer. */
import type { Plan, SitePreview } from "@portreeve/api-schema";
import pLimit from "p-limit";
import { messageOf } from "../reconcile/index.ts";
import type { PlanPreview, PreviewTarget } from "./preview.ts";

/** Routers asked at once for one request. */
const CONCURRENCY = 16;

/** How long one router may take, milliseconds: fifty of them, all away, are then answered for within a minute. */
const ROUTER_TIMEOUT_MS = 12_000;

const NOTHING_SEEN: Plan = { steps: [], input_chain: { ipv4: null, ipv6: null }, access: [], warnings: [] };

/** A router that can't be read is answered with the reason. In the order given. */
export function previewEach(
  plan: PlanPreview,
  targets: readonly PreviewTarget[],
  caller: string,
  signal: AbortSignal,
): Promise<SitePreview[]> {
  return pLimit(CONCURRENCY).map(targets, (target) => previewOne(plan, target, caller, signal));
}

async function previewOne(
  plan: PlanPreview,
  target: PreviewTarget,
  caller: string,
  signal: AbortSignal,
): Promise<SitePreview> {
  const { id: site_id, name } = target.site;
  const timeout = AbortSignal.timeout(ROUTER_TIMEOUT_MS);
  try {
    const found = await plan(target, caller, AbortSignal.any([signal, timeout]));
    return { site_id, name, reached: true, reason: null, ...found };
  } catch (error) {
    signal.throwIfAborted(); // nobody waits for the answer any more
    const seconds = ROUTER_TIMEOUT_MS / 1000;
    const reason = timeout.aborted ? `the router did not answer within ${seconds} seconds` : messageOf(error);
    return { site_id, name, reached: false, reason, ...NOTHING_SEEN };
  }
}
