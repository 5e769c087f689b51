/**
 * What takes a router several steps with its answer in between. Each workflow is a table of its states; a transition
 * reads everything afresh, changes the router in a way that may be repeated, and then writes down the next state. So
 * one that is killed anywhere goes on from the state it was in.
 */

import { credentialStates } from "../../credentials/index.ts";
import type { SiteWorkflows } from "../../reconcile/index.ts";
import { findSite } from "../../sites/index.ts";
import { adopt } from "./adopt.ts";
import { move } from "./move-transport.ts";
import { rotate } from "./rotate.ts";
import { type WorkflowRow, workflowsOf } from "./store.ts";
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
    async advance(siteId, call) {
      const due = await context.database.asSystem(async (trx) => {
        const site = await findSite(trx, siteId);
        if (!site) return undefined;
        const states = await credentialStates(trx, siteId);
        const kind = kindOf({ hasAdoptionLogin: site.adoption_login !== null, states });
        return { kind, rows: await workflowsOf(trx, siteId) };
      });
      if (!due) return false;
      const { kind, row } = chosen(due);
      const { first, states } = WORKFLOWS[kind];
      const transition = states[row?.state ?? first ?? ""];
      if (!transition) return false;
      await transition(context, { ...call, logins: await context.logins.load(siteId), row });
      return true;
    },
  };
}

/** What a site's logins ask for; without that the move, if one was begun. */
function kindOf({
  hasAdoptionLogin,
  states,
}: {
  hasAdoptionLogin: boolean;
  states: ReadonlySet<string>;
}): WorkflowRow["kind"] {
  if (hasAdoptionLogin || !states.has("active")) return "adopt";
  return states.has("pending") ? "rotate" : "move";
}

function chosen({ kind, rows }: { kind: WorkflowRow["kind"]; rows: readonly WorkflowRow[] }) {
  return { kind, row: rows.find((row) => row.kind === kind) };
}
