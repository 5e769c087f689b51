/** What the reconciler reads and writes about sites, and what a login on a router tells about it. */

import { sameFingerprint } from "@portreeve/routeros";
import { sql } from "kysely";
import { record } from "../audit/index.ts";
import { type Database, notify, type Trx } from "../database/index.ts";
import { describeChange } from "../reconcile/index.ts";
import type { Outcome, SiteRecords, SiteSnapshot } from "../reconcile/types.ts";
import { type ManagementPath, moveTo, reachedAt, updateConnection } from "./connections.ts";
import type { Sightings } from "./sightings.ts";
import {
  deleteSite,
  lockIdentities,
  recordSeen,
  type SiteRow,
  setReachability,
  siteIdsOf,
  updateIdentity,
} from "./store.ts";
import {
  findProgress,
  loadSnapshot,
  lockSync,
  type RunResult,
  recordRun,
  updateManagementPath,
} from "./sync.ts";

/** Notified with a site's id when a run has found it in another state than it was in before. */
export const SITE_STATE_CHANNEL = "portreeve_site_state";

const RECONCILER = { kind: "system", part: "reconciler" } as const;

/** @param sightings takes what a run saw again; see there when it is written */
export function siteRecords(database: Database, sightings: Sightings): SiteRecords {
  return {
    list: (buckets) => database.asSystem((trx) => siteIdsOf(trx, buckets)),
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

    finish: (trx, site, outcome) => finish(trx, sightings, site, outcome),
    checked: ({ id }) => sightings.checked(id),

    async forget(trx, site) {
      await tell(trx, site, "site.deleted");
      await deleteSite(trx, site.id);
    },
  };
}

/** A run that found everything as it was, with nobody waiting to hear so, writes nothing. */
async function finish(trx: Trx, sightings: Sightings, site: SiteSnapshot, outcome: Outcome): Promise<void> {
  const before = await findProgress(trx, site.id);
  if (!before) return;
  const status = statusAfter(before.management_address, outcome);
  const steps = (outcome.delivered ?? []).map(describeChange);
  const isNews =
    steps.length > 0 || isAwaited(before) || differs(before, status, resultOf(before, site, outcome));
  if (!isNews) return;
  const isOther = await setReachability(trx, site.id, status);
  const { seenAt } = sightings.of(site.id) ?? {};
  if (seenAt !== undefined) await recordSeen(trx, [site.id], [new Date(seenAt)]);
  const current = await lockSync(trx, site.id);
  if (!current) return;
  const result = resultOf(current, site, outcome);
  await recordRun(trx, site.id, result);
  if (isOther || result.state !== current.sync_state) await notify(trx, SITE_STATE_CHANNEL, site.id);
  const isDrift = current.observed_generation === site.generation;
  if (steps.length > 0) await tell(trx, site, isDrift ? "site.drift_repaired" : "site.configured", { steps });
  if (outcome.state === "drifted" && current.sync_reason !== outcome.reason) {
    await tell(trx, site, "site.drifted", { reason: outcome.reason });
  }
}

function resultOf(current: { readonly generation: string }, site: SiteSnapshot, outcome: Outcome): RunResult {
  const settled = outcome.state === "in_sync" || outcome.state === "drifted";
  // A newer intent than the one delivered: not in sync yet, and its wake is on the way.
  const superseded = settled && current.generation !== site.generation;
  const reason = "reason" in outcome ? outcome.reason : null;
  return {
    state: superseded ? "pending" : outcome.state,
    reason: superseded ? null : reason,
    generation: site.generation,
    settled,
  };
}

type Progress = NonNullable<Awaited<ReturnType<typeof findProgress>>>;

/** Somebody has asked for a check since the last one that was written down. */
function isAwaited({ reconcile_requested_at: asked, sync_checked_at: checked }: Progress): boolean {
  return checked === null || (asked !== null && asked > checked);
}

function differs(before: Progress, status: Progress["status"], result: RunResult): boolean {
  const now = {
    status: before.status === "deleting" ? "deleting" : status,
    sync_state: result.state,
    sync_reason: result.reason,
    checked_generation: result.generation,
    observed_generation: result.settled ? result.generation : before.observed_generation,
  };
  return !isAsBefore(before, now);
}

function isAsBefore<Row extends object>(before: Row, columns: Partial<Row>): boolean {
  return Object.entries(columns).every(([column, value]) => before[column as keyof Row] === value);
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
 * A login worked at this address and port: the router is there, and this is how it is reached. Where that is known and
 * nothing is being delivered, it is kept among the sightings alone; while something is, rollouts read when it was seen.
 * @param reached.settled nobody is delivering to it now, so a move that was begun is over, whichever port it ended on
 */
export async function recordReached(
  database: Database,
  sightings: Sightings,
  site: SiteRow,
  { port, fingerprint, settled, router }: Reached,
): Promise<void> {
  // Another spelling of the fingerprint is no other certificate.
  const isOther =
    fingerprint !== undefined &&
    !(site.tls_fingerprint && sameFingerprint(fingerprint, site.tls_fingerprint));
  const connection = {
    api_port: port,
    ...(isOther ? { tls_fingerprint: fingerprint.replaceAll(":", "").toLowerCase() } : {}),
    ...(settled ? { next_api_port: null } : {}),
  };
  const identity = {
    identity: router.identity,
    version: router.version,
    model: router.model,
    serial_number: router.serialNumber,
  };
  sightings.seen(site.id);
  const isKnown = isAsBefore(site, { ...connection, ...identity, reached_address: site.address });
  if (isKnown && site.observed_generation === site.generation) return;
  await database.asSystem(async (trx) => {
    await lockIdentities(trx, [site.id]);
    if (!(await reachedAt(trx, site, connection))) return;
    await updateIdentity(trx, site.id, { ...identity, last_seen_at: sql<Date>`now()` });
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
