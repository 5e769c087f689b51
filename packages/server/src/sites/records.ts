/** What the reconciler reads and writes about sites, and what a login on a router tells about it. */
import { record } from "../audit/index.ts";
import type { Database, Trx } from "../database/index.ts";
import type { Outcome, SiteRecords, SiteSnapshot } from "../reconcile/types.ts";
import { findSite } from "./store.ts";

const RECONCILER = { kind: "system", part: "reconciler" } as const;

export function siteRecords(database: Database): SiteRecords {
  return {
    list: () =>
      database.asSystem(async (trx) => {
        const rows = await trx.selectFrom("sites").select("id").execute();
        return rows.map(({ id }) => id);
      }),

    async load(trx, siteId) {
      const site = await findSite(trx, siteId);
      if (!site) return undefined;
      const { id, customer_id: customerId, generation, status } = site;
      return { id, customerId, generation, offboarding: status === "deleting" };
    },

    expectApiPort: (siteId, port) =>
      database.asSystem(async (trx) => {
        await trx.updateTable("sites").set({ next_api_port: port }).where("id", "=", siteId).execute();
      }),

    finish,

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

async function finish(trx: Trx, site: SiteSnapshot, outcome: Outcome): Promise<void> {
  const current = await findSite(trx, site.id);
  if (!current) return;
  const settled = outcome.state === "in_sync";
  // A newer intent than the one delivered: not in sync yet, and its wake is on the way.
  const superseded = settled && current.generation !== site.generation;
  await trx
    .updateTable("sites")
    .set((eb) => ({
      status: statusAfter(current, outcome),
      sync_state: superseded ? "pending" : outcome.state,
      sync_reason: settled ? null : outcome.reason,
      sync_checked_at: eb.fn<Date>("now"),
      ...(settled ? { observed_generation: site.generation } : {}),
    }))
    .where("id", "=", site.id)
    .execute();
  if (settled && outcome.delivered.length > 0) {
    const drift = current.observed_generation === site.generation;
    await record(trx, RECONCILER, {
      customerId: site.customerId,
      action: drift ? "site.drift_repaired" : "site.configured",
      subjectType: "site",
      subjectId: site.id,
      siteId: site.id,
      detail: { steps: outcome.delivered.map(({ text }) => text) },
    });
  }
}

function statusAfter(
  site: { status: string; management_address: string | null },
  outcome: Outcome,
): "pending" | "online" | "offline" | "deleting" {
  if (site.status === "deleting") return "deleting";
  if (site.management_address === null) return "pending"; // not adopted yet
  return outcome.state === "in_sync" || outcome.reached ? "online" : "offline";
}

/** What a successful log-in shows of a router. */
export interface RouterIdentity {
  readonly identity: string;
  readonly version: string;
  readonly model: string | null;
  readonly serialNumber: string | null;
}

/**
 * A login worked on this port: the router is there, and this is how it is reached.
 * @param settled nobody is delivering to it now, so a move that was begun is over, whichever port it ended on
 */
export async function recordReached(
  trx: Trx,
  siteId: string,
  { port, settled, router }: { port: number; settled: boolean; router: RouterIdentity },
): Promise<void> {
  await trx
    .updateTable("sites")
    .set((eb) => ({
      api_port: port,
      ...(settled ? { next_api_port: null } : {}),
      identity: router.identity,
      version: router.version,
      model: router.model,
      serial_number: router.serialNumber,
      last_seen_at: eb.fn<Date>("now"),
    }))
    .where("id", "=", siteId)
    .execute();
}

/** The router has our user now; the login that was given is destroyed. */
export async function recordAdopted(trx: Trx, siteId: string, managementAddress: string): Promise<void> {
  await trx
    .updateTable("sites")
    .set({ management_address: managementAddress, adoption_login: null })
    .where("id", "=", siteId)
    .execute();
}
