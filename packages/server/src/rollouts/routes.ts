import {
  idParams,
  rolloutDetails,
  rolloutList,
  rolloutQuery,
  rolloutSiteList,
  rolloutSiteQuery,
  uuid,
} from "@portreeve/api-schema";
import { z } from "zod";
import type { Trx } from "../database/index.ts";
import { type Caller, type HttpModule, mutate, pageOf, read, readCursor, timeAndId } from "../http/index.ts";
import { RolloutNotFoundError } from "./errors.ts";
import { listRollouts, listSitesOf } from "./list.ts";
import { presentDetails, presentRollout, presentSite } from "./present.ts";
import type { RolloutService } from "./service.ts";

const BASE = "/v1/rollouts";
const tags = ["Rollouts"];
const siteCursor = z.tuple([uuid]);
/** Sites shown with a rollout, of each state that needs a reason. */
const SHOWN_SITES = 100;

export function rolloutRoutes(rollouts: RolloutService): HttpModule {
  return (app) => {
    app.get(
      BASE,
      {
        config: { scope: "policies:read" },
        schema: {
          tags,
          summary: "List rollouts, newest first",
          querystring: rolloutQuery,
          response: { 200: rolloutList },
        },
      },
      (request) => {
        const { policy_id: policyId, state, limit, cursor } = request.query;
        const before = readCursor(cursor, timeAndId);
        return read(request, async (trx) => {
          const rows = await listRollouts(trx, { policyId, state, before, limit: limit + 1 });
          return pageOf(rows, limit, (row) => [row.position, row.id], presentRollout);
        });
      },
    );
    app.get(
      `${BASE}/:id`,
      {
        config: { scope: "policies:read" },
        schema: { tags, summary: "Show a rollout", params: idParams, response: { 200: rolloutDetails } },
      },
      (request) => read(request, (trx) => show(trx, request.params.id)),
    );
    app.get(
      `${BASE}/:id/sites`,
      {
        config: { scope: "policies:read" },
        schema: {
          tags,
          summary: "List a rollout's sites",
          params: idParams,
          querystring: rolloutSiteQuery,
          response: { 200: rolloutSiteList },
        },
      },
      (request) => {
        const { state, limit, cursor } = request.query;
        const [after] = readCursor(cursor, siteCursor) ?? [];
        return read(request, async (trx) => {
          await find(trx, request.params.id);
          const rows = await listSitesOf(trx, request.params.id, { state, after, limit: limit + 1 });
          return pageOf(rows, limit, (row) => [row.site_id], presentSite);
        });
      },
    );
    const command = (
      name: string,
      summary: string,
      work: (trx: Trx, caller: Caller, id: string) => Promise<void>,
    ) =>
      app.post(
        `${BASE}/:id/${name}`,
        {
          config: { scope: "policies:write" },
          schema: { tags, summary, params: idParams, response: { 200: rolloutDetails } },
        },
        (request, reply) =>
          mutate(request, reply, { status: 200 }, async (trx) => {
            await work(trx, request.caller, request.params.id);
            return show(trx, request.params.id);
          }),
      );
    command("pause", "Give the change to no further site", (...call) => rollouts.pause(...call));
    command("resume", "Go on, in spite of what has failed", (...call) => rollouts.resume(...call));
    command("rollback", "Take the change back", (...call) => rollouts.rollBack(...call));
  };
}

async function find(trx: Trx, id: string) {
  const [rollout] = await listRollouts(trx, { id, limit: 1 });
  if (!rollout) throw new RolloutNotFoundError();
  return rollout;
}

async function show(trx: Trx, id: string) {
  const rollout = await find(trx, id);
  const failed = await listSitesOf(trx, id, { state: "failed", limit: SHOWN_SITES });
  const unreachable = await listSitesOf(trx, id, { state: "unreachable", limit: SHOWN_SITES });
  return presentDetails(rollout, { failed, unreachable });
}
