import { sql } from "kysely";
import type { Trx } from "../database/index.ts";
import type { Actor } from "../kernel/actor.ts";
import type { CustomerId, SiteId } from "../kernel/ids.ts";
import { assertPlain } from "./plain-data.ts";

export interface AuditEntry {
  /** `<noun>.<what happened>`, such as `policy.updated`. */
  action: string;
  subjectType: string;
  subjectId?: string | undefined;
  siteId?: SiteId | undefined;
  /** What an auditor wants to know beyond the ids: plain data, never a secret. */
  detail?: Record<string, unknown>;
  /** Needed in a transaction of the system role; in a customer's own it is that customer. */
  customerId?: CustomerId | undefined;
}

/**
 * Write one audit event in the caller's transaction: it stands exactly when the act itself does.
 * @throws TypeError the detail is not plain data, or holds a Secret; nothing was written
 */
export async function record(trx: Trx, actor: Actor, entry: AuditEntry): Promise<void> {
  const detail = entry.detail ?? {};
  assertPlain(detail, "detail");
  await trx
    .insertInto("audit_events")
    .values({
      customer_id: entry.customerId ?? sql<string>`portreeve_customer()`,
      ...actorColumns(actor),
      action: entry.action,
      subject_type: entry.subjectType,
      subject_id: entry.subjectId ?? null,
      site_id: entry.siteId ?? null,
      detail: JSON.stringify(detail),
    })
    .execute();
}

function actorColumns(actor: Actor) {
  return actor.kind === "token"
    ? { actor: `token:${actor.name}`, actor_id: actor.tokenId, source_address: actor.address }
    : { actor: `system:${actor.part}`, actor_id: null, source_address: null };
}
