import { auditList, auditQuery } from "@portreeve/api-schema";
import { z } from "zod";
import { pageOf, readCursor } from "../kernel/page.ts";
import { type Route, route } from "../kernel/route.ts";
import { listEvents, presentEvent } from "./store.ts";

const position = z.tuple([z.string().regex(/^\d{1,18}$/)]);

export function auditRoutes(): Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/audit",
      scope: "audit:read",
      tag: "audit",
      summary: "List audit events, newest first",
      input: { query: auditQuery },
      output: auditList,
      run: async ({ query: { limit, cursor, site_id: siteId, action }, read }) => {
        const [beforeId] = readCursor(cursor, position) ?? [];
        const rows = await read((trx) => listEvents(trx, { limit: limit + 1, beforeId, siteId, action }));
        return pageOf(rows, limit, (row) => [row.id], presentEvent);
      },
    }),
  ];
}
