/** What the reconciler reads and writes about sites, and what a login on a router tells about it. */

import { sameFingerprint } from "@portreeve/routeros";
import { sql } from "kysely";
import { record } from "../audit/index.ts";
import { type Database, notify, type Trx } from "../database/index.ts";
import { describeChange } from "../reconcile/index.ts";
import type { Outcome, SiteRecords, SiteSnapshot } from "../reconcile/types.ts";
import {
  findManagementAddress,
  type ManagementPath,
  moveTo,
  reachedAt,
  updateConnection,
} from "./connections.ts";
import {
  allSiteIds,
  deleteSite,
  lockIdentities,
  type SiteRow,
  setReachability,
  updateIdentity,
} from "./store.ts";
import { loadSnapshot, lockSync, recordRun, updateManagementPath } from "./sync.ts";

/** Notified with a site's id when a run has found it in another state than it was in before. */
export const SITE_STATE_CHANNEL = "portreeve_site_state";

const RECONCILER = { kind: "system", part: "reconciler" } as const;

export function siteRecords(database: Database): SiteRecords {
  return {
    list: () => database.asSystem(allSiteIds),
    load: loadSnapshot,

    expectApiPort: (siteId, port) =>
      database.asSystem((trx) => updateConnection(trx, siteId, { next_api_port: port })),

    armManagementPath: (siteId, change) =>
      database.asSystem((trx) =>
        updateManagementPath(trx, siteId, {
          management_path_armed: change,
          management_path_problem: null,
          management_path_problem_change: null,
        }),
      ),

    confirmManagementPath: (siteId) =>
      database.asSystem((trx) => updateManagementPath(trx, siteId, { management_path_armed: null })),

    abandonManagementPath: (site, change, reason) =>
      database.asSystem(async (trx) => {
        await updateManagementPath(trx, site.id, {
          management_path_problem: reason,
          management_path_problem_change: change,
        });
        await tell(trx, site, "site.management_path_kept", { reason });
      }),

    finish,

    async forget(trx, site) {
      await tell(trx, site, "site.deleted");
      await deleteSite(trx, site.id);
    },
  };
}

async function finish(trx: Trx, site: SiteSnapshot, outcome: Outcome): Promise<void> {
  const before = await findManagementAddress(trx, site.id);
  if (!before) return;
  const isOther = await setReachability(trx, site.id, statusAfter(before.management_address, outcome));
  const current = await lockSync(trx, site.id);
  if (!current) return;
  const settled = outcome.state === "in_sync" || outcome.state === "drifted";
  // A newer intent than the one delivered: not in sync yet, and its wake is on the way.
  const superseded = settled && current.generation !== site.generation;
  const reason = "reason" in outcome ? outcome.reason : null;
  const state = superseded ? "pending" : outcome.state;
  const shown = superseded ? null : reason;
  await recordRun(trx, site.id, { state, reason: shown, generation: site.generation, settled });
  if (isOther || state !== current.sync_state) await notify(trx, SITE_STATE_CHANNEL, site.id);
  const steps = (outcome.delivered ?? []).map(describeChange);
  const isDrift = current.observed_generation === site.generation;
  if (steps.length > 0) await tell(trx, site, isDrift ? "site.drift_repaired" : "site.configured", { steps });
  if (outcome.state === "drifted" && current.sync_reason !== reason) {
    await tell(trx, site, "site.drifted", { reason });
  }
}

/** @param managementAddress null: not adopted yet */
function statusAfter(managementAddress: string | null, outcome: Outcome): "pending" | "online" | "offline" {
  if (managementAddress === null) return "pending";
  return !("reached" in outcome) || outcome.reached ? "online" : "offline";
}

function tell(trx: Trx, site: SiteSnapshot, action: string, detail?: Record<string, unknown>) {
  return record(trx, RECONCILER, {
    customerId: site.customerId,
    action,
    subjectType: "site",
    subjectId: site.id,
    siteId: site.id,
    ...(detail ? { detail } : {}),
  });
}

/** What a successful login shows of a router. */
export interface RouterIdentity {
  readonly identity: string;
  readonly version: string;
  readonly model: string | null;
  readonly serialNumber: string | null;
}

interface Reached {
  readonly port: number;
  /** SHA-256 of the certificate the router showed; undefined on api. */
  readonly fingerprint: string | undefined;
  /** See `recordReached`. */
  readonly settled: boolean;
  readonly router: RouterIdentity;
}

/**
 * A login worked at this address and port: the router is there, and this is how it is reached.
 * @param reached.settled nobody is delivering to it now, so a move that was begun is over, whichever port it ended on
 */
export async function recordReached(
  trx: Trx,
  site: SiteRow,
  { port, fingerprint, settled, router }: Reached,
): Promise<void> {
  // Another spelling of the fingerprint is no other certificate.
  const isOther =
    fingerprint !== undefined &&
    !(site.tls_fingerprint && sameFingerprint(fingerprint, site.tls_fingerprint));
  await lockIdentities(trx, [site.id]);
  const isCurrent = await reachedAt(trx, site, {
    api_port: port,
    ...(isOther ? { tls_fingerprint: fingerprint.replaceAll(":", "").toLowerCase() } : {}),
    ...(settled ? { next_api_port: null } : {}),
  });
  if (!isCurrent) return;
  await updateIdentity(trx, site.id, {
    identity: router.identity,
    version: router.version,
    model: router.model,
    serial_number: router.serialNumber,
    last_seen_at: sql<Date>`now()`,
  });
}

/** A login by another transport worked. */
export async function recordMoved(trx: Trx, site: SiteRow, path: ManagementPath): Promise<void> {
  if (!(await moveTo(trx, site, path))) return;
  await record(trx, RECONCILER, {
    customerId: site.customer_id,
    action: "site.transport_changed",
    subjectType: "site",
    subjectId: site.id,
    siteId: site.id,
    detail: { from: site.management_transport, to: path.transport, port: path.port },
  });
}
