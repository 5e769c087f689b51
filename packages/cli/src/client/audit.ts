import type { AuditEvent } from "@portreeve/api-schema";
import { table } from "../print.ts";
import { atMost } from "./input.ts";
import { listAll, siteId } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const list: Run = async (api, _words, { site, action, limit }) => {
  const site_id = typeof site === "string" ? await siteId(api, site) : undefined;
  const data = await listAll<AuditEvent>(api, "/v1/audit", { site_id, action }, atMost(limit));
  const rows = data.map((event) => [
    event.occurred_at,
    event.actor,
    event.source_address,
    event.action,
    event.subject_id,
    JSON.stringify(event.detail),
  ]);
  return { data, text: table(["time", "actor", "from", "action", "subject", "detail"], rows) };
};

export const audit = { list };
