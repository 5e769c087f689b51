import { exposureCheck, exposureList, idParams, listQuery } from "@portreeve/api-schema";
import { type HttpModule, mutate, read } from "../http/index.ts";
import { pageOf, readCursor, timeAndId } from "../kernel/page.ts";
import type { SiteService } from "../sites/index.ts";
import { presentCheck } from "./present.ts";
import type { ExposureService } from "./service.ts";
import { listChecks } from "./store.ts";

const PATH = "/v1/sites/:id/exposure";
const tags = ["Sites"];

export interface ExposureRouteOptions {
  readonly sites: SiteService;
  readonly exposure: ExposureService;
}

export function exposureRoutes({ sites, exposure }: ExposureRouteOptions): HttpModule {
  return (app) => {
    app.get(
      PATH,
      {
        config: { scope: "sites:read" },
        schema: {
          tags,
          summary: "What a site's ports answered to somebody outside, newest check first",
          params: idParams,
          querystring: listQuery,
          response: { 200: exposureList },
        },
      },
      (request) => {
        const { limit, cursor } = request.query;
        const after = readCursor(cursor, timeAndId);
        return read(request, async (trx) => {
          const { id } = await sites.get(trx, request.params.id);
          const rows = await listChecks(trx, id, { after, limit: limit + 1 });
          return pageOf(rows, limit, (row) => [row.position, row.id], presentCheck);
        });
      },
    );
    app.post(
      PATH,
      {
        config: { scope: "sites:write" },
        schema: {
          tags,
          summary: "Look at a site's ports from outside now; answers within 15 seconds",
          params: idParams,
          response: { 200: exposureCheck },
        },
      },
      async (request, reply) => {
        // An Idempotency-Key is looked up when the check is kept: a request that is repeated looks again, and answers
        // what the first one kept.
        const claimed = await exposure.claim(request.caller, request.params.id);
        try {
          const report = await exposure.look(claimed, request.signal);
          return await mutate(request, reply, { status: 200 }, async (trx) =>
            presentCheck(await exposure.keep(trx, claimed, report)),
          );
        } finally {
          await exposure.end(claimed);
        }
      },
    );
  };
}
