import { exposureCheck, exposureList, idParams, listQuery } from "@portreeve/api-schema";
import { pageOf, readCursor, timeAndId } from "../kernel/page.ts";
import { type Route, route } from "../kernel/route.ts";
import type { SiteService } from "../sites/index.ts";
import { presentCheck } from "./present.ts";
import type { ExposureService } from "./service.ts";
import { listChecks } from "./store.ts";

const path = "/v1/sites/:id/exposure";
const tag = "Sites";

export interface ExposureRouteOptions {
  readonly sites: SiteService;
  readonly exposure: ExposureService;
}

export function exposureRoutes({ sites, exposure }: ExposureRouteOptions): Route[] {
  return [
    route({
      method: "GET",
      path,
      scope: "sites:read",
      tag,
      summary: "What a site's ports answered from outside, newest check first",
      input: { params: idParams, query: listQuery },
      output: exposureList,
      run: ({ params, query: { limit, cursor }, read }) => {
        const after = readCursor(cursor, timeAndId);
        return read(async (trx) => {
          const { id } = await sites.get(trx, params.id);
          const rows = await listChecks(trx, id, { after, limit: limit + 1 });
          return pageOf(rows, limit, (row) => [row.position, row.id], presentCheck);
        });
      },
    }),
    route({
      method: "POST",
      path,
      scope: "sites:write",
      tag,
      summary: "Check a site's ports from outside now; answers within 15 seconds",
      input: { params: idParams },
      output: exposureCheck,
      run: async ({ caller, params, signal, mutate }) => {
        // An Idempotency-Key is looked up when the check is kept: a request that is repeated looks again, and answers
        // what the first one kept.
        const claimed = await exposure.claim(caller, params.id);
        try {
          const report = await exposure.look(claimed, signal);
          return await mutate(async (trx) => presentCheck(await exposure.keep(trx, claimed, report)));
        } finally {
          await exposure.end(claimed);
        }
      },
    }),
  ];
}
