import { z } from "zod";
import { listOf, listQuery } from "./common.ts";
import { isoTime, uuid } from "./fields.ts";

export const auditEvent = z
  .object({
    id: z.string().describe("Grows with every event."),
    occurred_at: isoTime,
    actor: z.string().meta({ examples: ["token:ops", "system:reconciler"] }),
    source_address: z.string().nullable(),
    action: z.string().meta({ examples: ["policy.updated"] }),
    subject_type: z.string().meta({ examples: ["policy"] }),
    subject_id: uuid.nullable(),
    site_id: uuid.nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "AuditEvent" });
export type AuditEvent = z.infer<typeof auditEvent>;

export const auditQuery = listQuery.extend({
  site_id: uuid.optional(),
  action: z.string().min(1, "must not be empty").max(100, "must be at most 100 characters").optional(),
});
export type AuditQuery = z.infer<typeof auditQuery>;

export const auditList = listOf(auditEvent).meta({ id: "AuditList" });
export type AuditList = z.infer<typeof auditList>;
