/** What the reconciler reads and writes about sites, and what a login on a router tells about it. */

import { sameFingerprint } from "@portreeve/routeros";
import { sql, type Updateable } from "kysely";
import { record } from "../audit/index.ts";
import { type Database, notify, type SitesTable, type Trx } from "../database/index.ts";
import { describeChange } from "../reconcile/index.ts";
import type { Outcome, SiteRecords, SiteSnapshot } from "../reconcile/types.ts";
import type { Sightings } from "./sightings.ts";
import { findSite, lockSite, type SiteRow } from "./store.ts";

/** Notified with a site's id when a run has found it in another state than it was in before. */
export const SITE_STATE_CHANNEL = "portreeve_site_state";

const RECONCILER = { kind: "system", part: "reconciler" } as const;

/** @param sightings takes what a run saw again; see there when it is written */
export function siteRecords(database: Database, sightings: Sightings): SiteRecords {
  const update = (siteId: string, columns: Updateable<SitesTable>) =>
    database.asSystem(async (trx) => {
      await trx.updateTable("sites").set(columns).where("id", "=", siteId).execute();
    });
  return {
    list: (buckets) =>
      database.asSystem(async (trx) => {
        const ofBuckets = sql<number>`any(${buckets}::smallint[])`;
        const rows = await trx.selectFrom("sites").select("id").where("bucket", "=", ofBuckets).execute();
        return rows.map(({ id }) => id);
      }),

    async load(trx, siteId) {
      const site = await findSite(trx, siteId);
      if (!site) return undefined;
      const { id, customer_id: customerId, generation, status } = site;
      const { way_in_armed: armed, way_in_problem: reason, way_in_problem_change: change } = site;
      return {
        id,
        customerId,
        generation,
        offboarding: status === "deleting",
        managementPathArmed: armed ?? undefined,
        managementPathProblem: reason !== null && change !== null ? { change, reason } : undefined,
      };
    },

    expectApiPort: (siteId, port) => update(siteId, { next_api_port: port }),
    armManagementPath: (siteId, change) =>
      update(siteId, { way_in_armed: change, way_in_problem: null, way_in_problem_change: null }),
    confirmManagementPath: (siteId) => update(siteId, { way_in_armed: null }),

    abandonManagementPath: (site, change, reason) =>
      database.asSystem(async (trx) => {
        const columns = { way_in_problem: reason, way_in_problem_change: change };
        await trx.updateTable("sites").set(columns).where("id", "=", site.id).execute();
        await record(trx, RECONCILER, {
          customerId: site.customerId,
          action: "site.management_path_kept",
          subjectType: "site",
          subjectId: site.id,
          siteId: site.id,
          detail: { reason },
        });
      }),

    finish: (trx, site, outcome) => finish(trx, sightings, site, outcome),

    async forget(trx, site) {
      await record(trx, RECONCILER, {
        customerId: site.customerId,
        action: "site.deleted",
        subjectType: "site",
        subjectId: site.id,
        siteId: site.id,
      });
      await trx.deleteFrom("sites").where("id", "=", site.id).execute();
    },
  };
}

/** What is written where a run has found a site otherwise than it was. */
type Found = Pick<SiteRow, "status" | "sync_state" | "sync_reason" | "checked_generation"> &
  Partial<Pick<SiteRow, "observed_generation">>;

/** A run that found everything as it was, with nobody waiting to hear so, writes nothing. */
async function finish(trx: Trx, sightings: Sightings, site: SiteSnapshot, outcome: Outcome): Promise<void> {
  sightings.checked(site.id);
  const before = await findSite(trx, site.id);
  if (!before) return;
  const steps = (outcome.delivered ?? []).map(describeChange);
  if (steps.length === 0 && !isAwaited(before) && isAsBefore(before, found(before, site, outcome))) return;
  // Locked: a change of intent that is about to commit would else be written over as if it had been delivered.
  const current = await lockSite(trx, site.id);
  if (!current) return;
  const columns = found(current, site, outcome);
  const { seenAt } = sightings.of(site.id) ?? {};
  const seen = seenAt === undefined ? null : new Date(seenAt);
  await trx
    .updateTable("sites")
    .set({
      ...columns,
      sync_checked_at: sql<Date>`now()`,
      last_seen_at: sql<Date>`greatest(last_seen_at, ${seen}::timestamptz)`,
    })
    .where("id", "=", site.id)
    .execute();
  if (columns.status !== current.status || columns.sync_state !== current.sync_state)
    await notify(trx, SITE_STATE_CHANNEL, site.id);
  const tell = (action: string, detail: Record<string, unknown>) =>
    record(trx, RECONCILER, {
      customerId: site.customerId,
      action,
      subjectType: "site",
      subjectId: site.id,
      siteId: site.id,
      detail,
    });
  const isDrift = current.observed_generation === site.generation;
  if (steps.length > 0) await tell(isDrift ? "site.drift_repaired" : "site.configured", { steps });
  if (outcome.state === "drifted" && current.sync_reason !== outcome.reason)
    await tell("site.drifted", { reason: outcome.reason });
}

function found(current: SiteRow, site: SiteSnapshot, outcome: Outcome): Found {
  const settled = outcome.state === "in_sync" || outcome.state === "drifted";
  // A newer intent than the one delivered: not in sync yet, and its wake is on the way.
  const superseded = settled && current.generation !== site.generation;
  const reason = "reason" in outcome ? outcome.reason : null;
  return {
    status: statusAfter(current, outcome),
    sync_state: superseded ? "pending" : outcome.state,
    sync_reason: superseded ? null : reason,
    checked_generation: site.generation,
    ...(settled ? { observed_generation: site.generation } : {}),
  };
}

/** Somebody has asked for a check since the last one that was written down. */
function isAwaited({ reconcile_requested_at: asked, sync_checked_at: checked }: SiteRow): boolean {
  return checked === null || (asked !== null && asked > checked);
}

function isAsBefore(before: SiteRow, columns: Partial<SiteRow>): boolean {
  return Object.entries(columns).every(([column, value]) => before[column as keyof SiteRow] === value);
}

function statusAfter(
  site: { status: string; management_address: string | null },
  outcome: Outcome,
): "pending" | "online" | "offline" | "deleting" {
  if (site.status === "deleting") return "deleting";
  if (site.management_address === null) return "pending"; // not adopted yet
  return !("reached" in outcome) || outcome.reached ? "online" : "offline";
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
  // One certificate in the place of another changes nothing while it is the same.
  const isOther =
    fingerprint !== undefined &&
    !(site.tls_fingerprint && sameFingerprint(fingerprint, site.tls_fingerprint));
  const columns = {
    reached_address: site.address,
    api_port: port,
    ...(isOther ? { tls_fingerprint: fingerprint.replaceAll(":", "").toLowerCase() } : {}),
    ...(settled ? { next_api_port: null } : {}),
    identity: router.identity,
    version: router.version,
    model: router.model,
    serial_number: router.serialNumber,
  };
  sightings.seen(site.id);
  if (site.observed_generation === site.generation && isAsBefore(site, columns)) return;
  await database.asSystem(async (trx) => {
    await trx
      .updateTable("sites")
      .set({ ...columns, last_seen_at: sql<Date>`now()` })
      .where("id", "=", site.id)
      // A login by the transport that was given up meanwhile says nothing about the new one.
      .where("management_transport", "=", site.management_transport)
      .execute();
  });
}

/** Where and how Portreeve logs in to a router. */
export interface ManagementPath {
  readonly transport: "api" | "api-ssl";
  readonly port: number;
  /** SHA-256 of the router's certificate; null on api. */
  readonly fingerprint: string | null;
}

/** A login by another transport worked: transport, port and fingerprint change together, unless the site has. */
export async function recordMoved(trx: Trx, site: SiteRow, way: ManagementPath): Promise<void> {
  const moved = await trx
    .updateTable("sites")
    .set({
      management_transport: way.transport,
      api_port: way.port,
      next_api_port: null,
      tls_fingerprint: way.fingerprint,
    })
    .where("id", "=", site.id)
    .where("address", "=", site.address)
    .where("management_transport", "=", site.management_transport)
    .where("keeps_certificate", "=", false)
    .executeTakeFirst();
  if (moved.numUpdatedRows === 0n) return;
  await record(trx, RECONCILER, {
    customerId: site.customer_id,
    action: "site.transport_changed",
    subjectType: "site",
    subjectId: site.id,
    siteId: site.id,
    detail: { from: site.management_transport, to: way.transport, port: way.port },
  });
}

/** The router has our user now; the login that was given is destroyed. */
export async function recordAdopted(trx: Trx, siteId: string, managementAddress: string): Promise<void> {
  await trx
    .updateTable("sites")
    .set({ management_address: managementAddress, adoption_login: null })
    .where("id", "=", siteId)
    .execute();
}
