/** Who holds a gateway: one process at a time, for as long as it renews. The SQL of `gateways` and `grant_leases`. */
import { leaseTimes } from "@portreeve/gateway";
import { type Selectable, sql } from "kysely";
import { record } from "../../audit/index.ts";
import type { Tables, Trx } from "../../database/index.ts";
import type { SiteService } from "../../sites/index.ts";
import { databaseIdentity } from "./store.ts";

const SYSTEM = { kind: "system", part: "gateway" } as const;

const lease = sql.raw(`interval '${leaseTimes.leaseMs} milliseconds'`);
const grace = sql.raw(`interval '${leaseTimes.graceMs} milliseconds'`);
/** Once this holds, whoever had the lease carries nothing any more: it has ended everything by itself. */
export const lapsed = sql<boolean>`(gateways.lease_until is null or gateways.lease_until < now() - ${grace})`;

export interface Claim {
  readonly instance: string;
  readonly journal: { readonly id: string; readonly system: string | null; readonly sequence: number };
}

export interface Claimed {
  readonly fence: number;
  readonly system: string;
  readonly sequence: number;
  /** The journal remembers another database than this, or a newer state of it. */
  readonly restored: boolean;
  /** Grants that were ended because of that. */
  readonly ended: number;
}

/** Another process holds the gateway, and may still carry bytes. */
export class GatewayHeldError extends Error {
  override readonly name = "GatewayHeldError";
}

/**
 * Take the gateway for a process. The same process comes back with its fence; another one that shows the same journal
 * proves that the process before it is gone, since only one can have the journal open.
 * @throws GatewayHeldError nothing was changed
 */
export async function claimGateway(
  trx: Trx,
  sites: SiteService,
  gatewayId: string,
  { instance, journal }: Claim,
): Promise<Claimed> {
  const gateway = await trx
    .selectFrom("gateways")
    .selectAll()
    .select(lapsed.as("is_lapsed"))
    .where("id", "=", gatewayId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const sameJournal = gateway.journal_id === journal.id;
  if (gateway.instance !== instance && !sameJournal && !gateway.is_lapsed) throw new GatewayHeldError();
  const identity = await databaseIdentity(trx);
  const restored = isRestored(gateway, journal, identity);
  const fence = Number(gateway.fence) + (gateway.instance === instance ? 0 : 1);
  await trx
    .updateTable("gateways")
    .set({
      instance,
      journal_id: journal.id,
      fence: String(fence),
      lease_until: sql<Date>`now() + ${lease}`,
      last_seen_at: sql<Date>`now()`,
      ...(gateway.instance === instance ? {} : { report_sequence: "0" }),
      ...(restored ? { restored_at: sql<Date>`now()` } : {}),
    })
    .where("id", "=", gatewayId)
    .execute();
  await trx
    .updateTable("grant_leases")
    .set({ fence: String(fence) })
    .where("gateway_id", "=", gatewayId)
    .where("fence", "!=", String(fence))
    .execute();
  const ended = restored ? await endAfterRestore(trx, sites, gatewayId) : 0;
  return { fence, ...identity, restored, ended };
}

/** Give these grants to the process with this fence; who opened them may not have known of it yet. */
export async function takeGrants(trx: Trx, ids: readonly string[], fence: number): Promise<void> {
  await trx
    .updateTable("grant_leases")
    .set({ fence: String(fence) })
    .where("grant_id", "=", sql<string>`any(${sql`${ids}::uuid[]`})`)
    .where("fence", "<", String(fence))
    .execute();
}

/** A gateway that has never shown a journal may show a new one; any other journal than the one known is a new life. */
function isRestored(
  gateway: Selectable<Tables["gateways"]>,
  journal: Claim["journal"],
  identity: { system: string; sequence: number },
): boolean {
  if (journal.system !== null && journal.system !== identity.system) return true;
  if (journal.sequence > identity.sequence) return true;
  return gateway.journal_id !== null && gateway.journal_id !== journal.id;
}

/** Nothing that was open is opened again; the reconciler removes the users. */
async function endAfterRestore(trx: Trx, sites: SiteService, gatewayId: string): Promise<number> {
  const ended = await trx
    .updateTable("transient_access")
    .set({ revoked_at: sql<Date>`now()` })
    .where("gateway_id", "=", gatewayId)
    .where("removed_from_gateway_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`)
    .returning(["id", "customer_id", "site_id"])
    .execute();
  for (const [customerId, grants] of Map.groupBy(ended, ({ customer_id }) => customer_id)) {
    await record(trx, SYSTEM, {
      customerId,
      action: "access.ended_after_restore",
      subjectType: "gateway",
      subjectId: gatewayId,
      detail: { grants: grants.map(({ id }) => id) },
    });
  }
  await sites.bumpGeneration(trx, [...new Set(ended.map(({ site_id }) => site_id))]);
  return ended.length;
}

/**
 * Renew the lease of this process.
 * @param sequence the highest its journal knows
 * @returns the database's time, milliseconds since 1970; undefined when the process holds the gateway no more, or the
 *   database is an older one than its journal: it has to say hello again
 */
export async function renewLease(
  trx: Trx,
  gatewayId: string,
  instance: string,
  sequence: number,
): Promise<number | undefined> {
  const row = await trx
    .updateTable("gateways")
    .set({ lease_until: sql<Date>`now() + ${lease}`, last_seen_at: sql<Date>`now()` })
    .where("id", "=", gatewayId)
    .where("instance", "=", instance)
    .where("removed_at", "is", null)
    .where(sql<boolean>`(select last_value from transient_access_sequence_seq) >= ${sequence}`)
    .returning(sql<number>`extract(epoch from clock_timestamp())::float8 * 1000`.as("now"))
    .executeTakeFirst();
  return row?.now;
}

/** The process has ended in good order: it carries nothing any more. */
export async function releaseLease(trx: Trx, gatewayId: string, instance: string): Promise<void> {
  await trx
    .updateTable("gateways")
    .set({ lease_until: null })
    .where("id", "=", gatewayId)
    .where("instance", "=", instance)
    .execute();
}

/** Whether nothing is carried for this gateway, because nobody has held it for long enough. */
export async function isLapsed(trx: Trx, gatewayId: string): Promise<boolean> {
  const row = await trx
    .selectFrom("gateways")
    .select(lapsed.as("is_lapsed"))
    .where("id", "=", gatewayId)
    .executeTakeFirst();
  return row?.is_lapsed ?? true;
}
