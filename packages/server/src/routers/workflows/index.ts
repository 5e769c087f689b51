/**
 * What takes a router several steps with its answer in between. Each workflow is a table of its states; a transition
 * reads everything afresh, changes the router in a way that may be repeated, and then writes down the next state. So
 * one that is killed anywhere goes on from the state it was in.
 */

import type { SiteWorkflows } from "../../reconcile/index.ts";
import { adopt } from "./adopt.ts";
import { move } from "./move-transport.ts";
import { rotate } from "./rotate.ts";
import { type Standing, standingOf, type WorkflowRow } from "./store.ts";
import type { Transition, WorkflowContext } from "./types.ts";

/** A workflow and the state it is in without a row, for one that begins by itself. */
const WORKFLOWS: Readonly<
  Record<WorkflowRow["kind"], { first?: string; states: Readonly<Record<string, Transition>> }>
> = {
  adopt: { first: "checking", states: adopt },
  rotate: { first: "setting", states: rotate },
  move: { states: move },
};

export function siteWorkflows(context: WorkflowContext): SiteWorkflows {
  return {
    async advance(siteId, signal) {
      const standing = await context.database.asSystem((trx) => standingOf(trx, siteId));
      if (!standing) return false;
      const kind = kindOf(standing);
      const row = standing.workflows.find((candidate) => candidate.kind === kind);
      const { first, states } = WORKFLOWS[kind];
      const transition = states[row?.state ?? first ?? ""];
      if (!transition) return false;
      await transition(context, { signal, logins: await context.logins.load(siteId), row });
      return true;
    },
  };
}

/** What a site's logins ask for; without that the move, if one was begun. */
function kindOf({ hasAdoptionLogin, credentials }: Standing): WorkflowRow["kind"] {
  if (hasAdoptionLogin || !credentials.has("active")) return "adopt";
  return credentials.has("pending") ? "rotate" : "move";
}
