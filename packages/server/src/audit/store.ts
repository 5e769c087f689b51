import type { AuditEvent } from "@portreeve/api-schema";
import type { Selectable } from "kysely";
import type { Tables, Trx } from "../database/index.ts";
import type { SiteId } from "../kernel/ids.ts";

type AuditRow = Selectable<Tables["audit_events"]>;

export interface EventFilter {
  limit: number;
  beforeId: string | undefined;
  siteId: SiteId | undefined;
  action: string | undefined;
}

export async function listEvents(
  trx: Trx,
  { limit, beforeId, siteId, action }: EventFilter,
): Promise<AuditRow[]> {
  return await trx
    .selectFrom("audit_events")
    .selectAll()
    .$if(beforeId !== undefined, (query) => query.where("id", "<", beforeId as string))
    .$if(siteId !== undefined, (query) => query.where("site_id", "=", siteId as string))
    .$if(action !== undefined, (query) => query.where("action", "=", action as string))
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

export function presentEvent(row: AuditRow): AuditEvent {
  return {
    id: row.id,
    occurred_at: row.occurred_at.toISOString(),
    actor: row.actor,
    source_address: row.source_address,
    action: row.action,
    subject_type: row.subject_type,
    subject_id: row.subject_id,
    site_id: row.site_id,
    detail: row.detail,
  };
}
