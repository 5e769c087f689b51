/**
 * What gateways report, written down: the times of a grant and its audit events, in one transaction a batch. The sites
 * whose routers have to lose a user are told apart, in a transaction of their own: others lock a site first and its
 * grants then, and should this one be lost the reconciler's period finds the same.
 */
import type { ConnectionEvent, Report } from "@portreeve/gateway";
import { sql } from "kysely";
import { z } from "zod";
import { record } from "../../audit/index.ts";
import type { Trx } from "../../database/index.ts";
import type { Actor } from "../../kernel/actor.ts";
import { setTimestampOnce } from "../store.ts";

const SYSTEM: Actor = { kind: "system", part: "gateway" };

const ACTIONS: Readonly<Record<ConnectionEvent["kind"], string>> = {
  connected: "access.connected",
  refused: "access.refused",
  disconnected: "access.disconnected",
};

/** Who revoked a grant, as it travels to the gateway and back. */
const revoker = z.strictObject({ tokenId: z.uuid(), name: z.string(), address: z.string() });

interface LeasedGrant {
  readonly id: string;
  readonly customer_id: string;
  readonly site_id: string;
  readonly fence: string;
  readonly revoked_at: Date | null;
  readonly is_expired: boolean;
}

/**
 * Record reports of one process, in their order. What was recorded before is passed over, and so is what somebody says
 * who does not hold the grant's lease.
 * @returns the sites whose intent has changed; undefined when the process does not hold the gateway any more: nothing
 *   was written
 */
export async function recordReports(
  trx: Trx,
  from: { gatewayId: string; instance: string },
  reports: readonly Report[],
): Promise<readonly string[] | undefined> {
  const gateway = await trx
    .selectFrom("gateways")
    .select("report_sequence")
    .where("id", "=", from.gatewayId)
    .where("instance", "=", from.instance)
    // Not for update: whoever opens a grant holds the row against changes of its key.
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!gateway) return undefined;
  const fresh = reports.filter(({ report }) => report > Number(gateway.report_sequence));
  const last = fresh.at(-1);
  if (!last) return [];
  const changed = new Set<string>();
  const grants = await leasedGrants(trx, from.gatewayId, [...new Set(fresh.map(({ grant }) => grant))]);
  for (const report of fresh) {
    const grant = grants.get(report.grant);
    if (!grant || Number(grant.fence) !== report.fence) continue;
    if (report.event) await recordEvent(trx, grant, report.event);
    if (report.closed && (await recordClosed(trx, grant, report.closed))) changed.add(grant.site_id);
  }
  await trx
    .updateTable("gateways")
    .set({ report_sequence: String(last.report) })
    .where("id", "=", from.gatewayId)
    .execute();
  return [...changed];
}

/**
 * Write down that a grant is closed and its lease given back. `by` names who revoked it, should that not have been
 * recorded.
 * @returns whether this was the first time: its site's router has to lose the user
 */
export async function recordClosed(
  trx: Trx,
  grant: Omit<LeasedGrant, "fence">,
  { reason, by }: { reason: string; by?: string | undefined },
): Promise<boolean> {
  const revoked = grant.revoked_at !== null || (reason === "revoked" && !grant.is_expired);
  if (grant.revoked_at === null && revoked) {
    const [first] = await setTimestampOnce(trx, [grant.id], "revoked_at");
    if (first !== undefined) await audit(trx, grant, "access.revoked", actorFrom(by));
  }
  const [first] = await setTimestampOnce(trx, [grant.id], "removed_from_gateway_at");
  await trx.deleteFrom("grant_leases").where("grant_id", "=", grant.id).execute();
  if (first === undefined) return false;
  const expired = !revoked && reason === "expired";
  await audit(trx, grant, expired ? "access.expired" : "access.closed", SYSTEM);
  return true;
}

/** @returns what an audit event needs to name who asked, small enough for a message */
export function revokerText(revokedBy: z.infer<typeof revoker>): string {
  return JSON.stringify({ ...revokedBy, name: revokedBy.name.slice(0, 100) });
}

function actorFrom(by: string | undefined): Actor {
  if (by === undefined) return SYSTEM;
  const read = revoker.safeParse(JSON.parse(by));
  return read.success ? { kind: "token", ...read.data } : SYSTEM;
}

async function recordEvent(trx: Trx, grant: LeasedGrant, event: ConnectionEvent): Promise<void> {
  if (event.kind === "connected") await setTimestampOnce(trx, [grant.id], "authorized_at");
  const { kind, ...detail } = event;
  await audit(trx, grant, ACTIONS[kind], SYSTEM, detail);
}

async function leasedGrants(
  trx: Trx,
  gatewayId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LeasedGrant>> {
  const rows = await trx
    .selectFrom("transient_access")
    .innerJoin("grant_leases", "grant_leases.grant_id", "transient_access.id")
    .select([
      "transient_access.id",
      "transient_access.customer_id",
      "transient_access.site_id",
      "transient_access.revoked_at",
      "grant_leases.fence",
    ])
    .select(sql<boolean>`transient_access.expires_at <= now()`.as("is_expired"))
    .where("grant_leases.gateway_id", "=", gatewayId)
    .where("transient_access.id", "=", sql<string>`any(${sql`${ids}::uuid[]`})`)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

async function audit(
  trx: Trx,
  grant: Pick<LeasedGrant, "id" | "customer_id" | "site_id">,
  action: string,
  actor: Actor,
  detail: Record<string, unknown> = {},
): Promise<void> {
  await record(trx, actor, {
    customerId: grant.customer_id,
    action,
    subjectType: "transient_access",
    subjectId: grant.id,
    siteId: grant.site_id,
    detail,
  });
}
