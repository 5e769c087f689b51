/** The SQL of site_sync: what a site is to have, by the number of its intent, and how far its router is. */
import { sql, type UpdateObject } from "kysely";
import type { SyncState, Tables, Trx } from "../database/index.ts";
import type { SiteSnapshot } from "../reconcile/types.ts";

export async function insertSync(trx: Trx, siteId: string, customerId: string): Promise<void> {
  await trx.insertInto("site_sync").values({ site_id: siteId, customer_id: customerId }).execute();
}

/** What a run of the site begins from, in one statement. */
export async function loadSnapshot(trx: Trx, siteId: string): Promise<SiteSnapshot | undefined> {
  const site = await trx
    .selectFrom("site_sync")
    .innerJoin("sites", "sites.id", "site_sync.site_id")
    .select(["sites.id", "sites.customer_id", "sites.status", "site_sync.generation"])
    .select([
      "site_sync.management_path_armed as armed",
      "site_sync.management_path_problem as reason",
      "site_sync.management_path_problem_change as change",
    ])
    .where("sites.id", "=", siteId)
    .executeTakeFirst();
  if (!site) return undefined;
  const { id, customer_id: customerId, generation, status, armed, reason, change } = site;
  return {
    id,
    customerId,
    generation,
    offboarding: status === "deleting",
    managementPathArmed: armed ?? undefined,
    managementPathProblem: reason !== null && change !== null ? { change, reason } : undefined,
  };
}

/** A change of intent: the next run delivers this generation. One statement, however many sites. */
export async function changeIntent(trx: Trx, siteIds: readonly string[]): Promise<void> {
  await trx
    .updateTable("site_sync")
    .set({
      generation: sql<string>`generation + 1`,
      changed_at: sql<Date>`now()`,
      sync_state: "pending",
      sync_reason: null,
    })
    .where("site_id", "=", sql<string>`any(${siteIds}::uuid[])`)
    .execute();
}

type Changed = Pick<
  UpdateObject<Tables, "site_sync">,
  | "reconcile_requested_at"
  | "management_path_armed"
  | "management_path_problem"
  | "management_path_problem_change"
>;

/** What is known of a change of the management path. */
export async function updateManagementPath(trx: Trx, siteId: string, columns: Changed): Promise<void> {
  await trx.updateTable("site_sync").set(columns).where("site_id", "=", siteId).execute();
}

/** How far it is, not locked, and what its status follows from. */
export function findProgress(trx: Trx, siteId: string) {
  return trx
    .selectFrom("site_sync")
    .innerJoin("sites", "sites.id", "site_sync.site_id")
    .innerJoin("site_connections", "site_connections.site_id", "site_sync.site_id")
    .select(["sites.status", "site_connections.management_address", "site_sync.generation"])
    .select(["site_sync.observed_generation", "site_sync.checked_generation", "site_sync.sync_state"])
    .select(["site_sync.sync_reason", "site_sync.sync_checked_at", "site_sync.reconcile_requested_at"])
    .where("site_sync.site_id", "=", siteId)
    .executeTakeFirst();
}

/** How far it was, locked: a change of intent that is about to commit would else be written over as if delivered. */
export function lockSync(trx: Trx, siteId: string) {
  return trx
    .selectFrom("site_sync")
    .select(["generation", "observed_generation", "sync_state", "sync_reason"])
    .where("site_id", "=", siteId)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

export interface RunResult {
  readonly state: SyncState;
  readonly reason: string | null;
  /** The generation that was tried, and whether it was delivered and read back. */
  readonly generation: string;
  readonly settled: boolean;
}

export async function recordRun(trx: Trx, siteId: string, result: RunResult): Promise<void> {
  const { state, reason, generation, settled } = result;
  await trx
    .updateTable("site_sync")
    .set({
      sync_state: state,
      sync_reason: reason,
      sync_checked_at: sql<Date>`now()`,
      checked_generation: generation,
      ...(settled ? { observed_generation: generation } : {}),
    })
    .where("site_id", "=", siteId)
    .execute();
}

/** One batch, of sites that are locked. */
export async function recordChecked(
  trx: Trx,
  ids: readonly string[],
  times: readonly (Date | null)[],
): Promise<void> {
  await sql`
    update site_sync set sync_checked_at = greatest(sync_checked_at, checked)
      from unnest(${ids}::uuid[], ${times}::timestamptz[]) as batch (id, checked)
     where site_id = batch.id`.execute(trx);
}
