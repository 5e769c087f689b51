import { auditList, auditQuery } from "@portreeve/api-schema";
import { z } from "zod";
import type { Database } from "../database/index.ts";
import type { HttpModule } from "../http/index.ts";
import { pageOf, readCursor } from "../kernel/page.ts";
import { listEvents, presentEvent } from "./store.ts";

const position = z.tuple([z.string().regex(/^\d{1,18}$/)]);

/** `GET /v1/audit`: newest first. */
export function auditRoutes({ database }: { database: Database }): HttpModule {
  return (app) => {
    app.get(
      "/v1/audit",
      {
        config: { scope: "audit:read" },
        schema: {
          tags: ["audit"],
          summary: "List audit events, newest first",
          querystring: auditQuery,
          response: { 200: auditList },
        },
      },
      async (request) => {
        const { limit, cursor, site_id, action } = request.query;
        const [beforeId] = readCursor(cursor, position) ?? [];
        const rows = await database.asCustomer(request.caller.customerId, (trx) =>
          listEvents(trx, { limit: limit + 1, beforeId, siteId: site_id, action }),
        );
        return pageOf(rows, limit, (row) => [row.id], presentEvent);
      },
    );
  };
}
