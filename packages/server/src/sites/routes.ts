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
import { type HttpModule, mutate, pageOf, read, readCursor } from "../http/index.ts";
import type { LatestSightings } from "./latest-sightings.ts";
import { presentSite } from "./present.ts";
import type { SiteService } from "./service.ts";
import { listSites } from "./store.ts";

const tags = ["Sites"];
const cursorForm = z.tuple([uuid]);
const filters = listQuery.extend({ status: z.enum(SITE_STATUSES).optional(), policy_id: uuid.optional() });
const removal = z.strictObject({
  force: z
    .enum(["true", "false"])
    .default("false")
    .describe("true: forget the site now and leave the router as it is"),
});

/** @param latest when sites were seen, as the processes that check them know it */
export function siteRoutes(sites: SiteService, latest: LatestSightings): HttpModule {
  return (app) => {
    app.get(
      "/v1/sites",
      {
        config: { scope: "sites:read" },
        schema: { tags, summary: "List sites", querystring: filters, response: { 200: listOf(site) } },
      },
      async (request) => {
        const { status, policy_id: policyId, limit, cursor } = request.query;
        const [after] = readCursor(cursor, cursorForm) ?? [];
        const filter = { status, policyId, after, limit: limit + 1 };
        const rows = await read(request, (trx) => listSites(trx, filter));
        return pageOf(await latest.over(rows), limit, ({ id }) => [id], presentSite);
      },
    );
    app.post(
      "/v1/sites",
      {
        config: { scope: "sites:write" },
        schema: { tags, summary: "Add and adopt a router", body: siteInput, response: { 201: site } },
      },
      (request, reply) =>
        mutate(request, reply, { status: 201 }, async (trx) =>
          presentSite(await sites.create(trx, request.caller, request.body)),
        ),
    );
    app.get(
      "/v1/sites/:id",
      {
        config: { scope: "sites:read" },
        schema: { tags, summary: "Show a site", params: idParams, response: { 200: site } },
      },
      async (request) => {
        const row = await read(request, (trx) => sites.get(trx, request.params.id));
        const [site = row] = await latest.over([row]);
        return presentSite(site);
      },
    );
    app.patch(
      "/v1/sites/:id",
      {
        config: { scope: "sites:write" },
        schema: {
          tags,
          summary: "Change a site",
          params: idParams,
          body: sitePatch,
          response: { 200: site },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 200 }, async (trx) =>
          presentSite(await sites.update(trx, request.caller, request.params.id, request.body)),
        ),
    );
    app.delete(
      "/v1/sites/:id",
      {
        config: { scope: "sites:write" },
        schema: {
          tags,
          summary: "Off-board a site: everything of ours leaves the router first",
          params: idParams,
          querystring: removal,
          response: { 202: site },
        },
      },
      (request, reply) =>
        mutate(request, reply, { status: 202 }, async (trx) =>
          presentSite(
            await sites.remove(trx, request.caller, request.params.id, request.query.force === "true"),
          ),
        ),
    );
    app.post(
      "/v1/sites/:id/reconcile",
      {
        config: { scope: "sites:write" },
        schema: { tags, summary: "Reconcile now", params: idParams, response: { 202: site } },
      },
      (request, reply) =>
        mutate(request, reply, { status: 202 }, async (trx) =>
          presentSite(await sites.wake(trx, request.caller, request.params.id)),
        ),
    );
  };
}
