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
import type { Caller } from "../kernel/actor.ts";
import { pageOf, readCursor, timeAndId } from "../kernel/page.ts";
import { type Route, route } from "../kernel/route.ts";
import { RolloutNotFoundError } from "./errors.ts";
import { listRollouts, listSitesOf } from "./list.ts";
import { presentDetails, presentRollout, presentSite } from "./present.ts";
import type { RolloutService } from "./service.ts";

const BASE = "/v1/rollouts";
const tag = "Rollouts";
const siteCursor = z.tuple([uuid]);
/** Sites shown with a rollout, of each state that needs a reason. */
const SHOWN_SITES = 100;

export function rolloutRoutes(rollouts: RolloutService): Route[] {
  return [
    route({
      method: "GET",
      path: BASE,
      scope: "policies:read",
      tag,
      summary: "List rollouts, newest first",
      input: { query: rolloutQuery },
      output: rolloutList,
      run: ({ query: { policy_id: policyId, state, limit, cursor }, read }) => {
        const before = readCursor(cursor, timeAndId);
        return read(async (trx) => {
          const rows = await listRollouts(trx, { policyId, state, before, limit: limit + 1 });
          return pageOf(rows, limit, (row) => [row.position, row.id], presentRollout);
        });
      },
    }),
    route({
      method: "GET",
      path: `${BASE}/:id`,
      scope: "policies:read",
      tag,
      summary: "Show a rollout",
      input: { params: idParams },
      output: rolloutDetails,
      run: ({ params, read }) => read((trx) => show(trx, params.id)),
    }),
    route({
      method: "GET",
      path: `${BASE}/:id/sites`,
      scope: "policies:read",
      tag,
      summary: "List a rollout's sites",
      input: { params: idParams, query: rolloutSiteQuery },
      output: rolloutSiteList,
      run: ({ params, query: { state, limit, cursor }, read }) => {
        const [after] = readCursor(cursor, siteCursor) ?? [];
        return read(async (trx) => {
          await find(trx, params.id);
          const rows = await listSitesOf(trx, params.id, { state, after, limit: limit + 1 });
          return pageOf(rows, limit, (row) => [row.site_id], presentSite);
        });
      },
    }),
    command("pause", "Give the change to no more sites", (...call) => rollouts.pause(...call)),
    command("resume", "Continue despite the failures so far", (...call) => rollouts.resume(...call)),
    command("rollback", "Take the change back", (...call) => rollouts.rollBack(...call)),
  ];
}

function command(
  name: string,
  summary: string,
  work: (trx: Trx, caller: Caller, id: string) => Promise<void>,
): Route {
  return route({
    method: "POST",
    path: `${BASE}/:id/${name}`,
    scope: "policies:write",
    tag,
    summary,
    input: { params: idParams },
    output: rolloutDetails,
    run: ({ caller, params, mutate }) =>
      mutate(async (trx) => {
        await work(trx, caller, params.id);
        return show(trx, params.id);
      }),
  });
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
