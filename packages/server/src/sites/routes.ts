import {
  idParams,
  listOf,
  listQuery,
  SITE_STATUSES,
  site,
  siteInput,
  sitePatch,
  uuid,
} from "@portreeve/api-schema";
import { z } from "zod";
import { pageOf, readCursor } from "../kernel/page.ts";
import { type Route, route } from "../kernel/route.ts";
import type { LatestSightings } from "./latest-sightings.ts";
import { presentSite } from "./present.ts";
import type { SiteService } from "./service.ts";
import { listSites } from "./store.ts";

const tag = "Sites";
const cursorForm = z.tuple([uuid]);
const filters = listQuery.extend({ status: z.enum(SITE_STATUSES).optional(), policy_id: uuid.optional() });
const removal = z.strictObject({
  force: z
    .enum(["true", "false"])
    .default("false")
    .describe("true: forget the site now and leave the router as it is"),
});

/** @param latest when sites were seen, as the processes that check them know it */
export function siteRoutes(sites: SiteService, latest: LatestSightings): Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/sites",
      scope: "sites:read",
      tag,
      summary: "List sites",
      input: { query: filters },
      output: listOf(site),
      run: async ({ query: { status, policy_id: policyId, limit, cursor }, read }) => {
        const [after] = readCursor(cursor, cursorForm) ?? [];
        const rows = await read((trx) => listSites(trx, { status, policyId, after, limit: limit + 1 }));
        return pageOf(await latest.over(rows), limit, ({ id }) => [id], presentSite);
      },
    }),
    route({
      method: "POST",
      path: "/v1/sites",
      scope: "sites:write",
      tag,
      summary: "Add and adopt a router",
      input: { body: siteInput },
      output: site,
      status: 201,
      run: ({ caller, body, mutate }) =>
        mutate(async (trx) => presentSite(await sites.create(trx, caller, body))),
    }),
    route({
      method: "GET",
      path: "/v1/sites/:id",
      scope: "sites:read",
      tag,
      summary: "Show a site",
      input: { params: idParams },
      output: site,
      run: async ({ params, read }) => {
        const row = await read((trx) => sites.get(trx, params.id));
        const [site = row] = await latest.over([row]);
        return presentSite(site);
      },
    }),
    route({
      method: "PATCH",
      path: "/v1/sites/:id",
      scope: "sites:write",
      tag,
      summary: "Change a site",
      input: { params: idParams, body: sitePatch },
      output: site,
      run: ({ caller, params, body, mutate }) =>
        mutate(async (trx) => presentSite(await sites.update(trx, caller, params.id, body))),
    }),
    route({
      method: "DELETE",
      path: "/v1/sites/:id",
      scope: "sites:write",
      tag,
      summary: "Off-board a site: Portreeve first removes its own configuration from the router",
      input: { params: idParams, query: removal },
      output: site,
      status: 202,
      run: ({ caller, params, query, mutate }) =>
        mutate(async (trx) =>
          presentSite(await sites.remove(trx, caller, params.id, query.force === "true")),
        ),
    }),
    route({
      method: "POST",
      path: "/v1/sites/:id/reconcile",
      scope: "sites:write",
      tag,
      summary: "Reconcile now",
      input: { params: idParams },
      output: site,
      status: 202,
      run: ({ caller, params, mutate }) =>
        mutate(async (trx) => presentSite(await sites.wake(trx, caller, params.id))),
    }),
  ];
}
