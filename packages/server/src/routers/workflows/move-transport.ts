/**
 * The move of a site from one transport to the other, once the router offers it:
 *
 *   proving -> (ended), or refused -> (ended)
 *
 * - proving: come in by the other transport; then transport, port and fingerprint change together. The old transport is left
 *   as it is.
 * - refused: no login by it; the site stays where it is, and the run that has said so ends the workflow.
 */
import { RouterOsError } from "@portreeve/routeros";
import type { Trx } from "../../database/index.ts";
import { messageOf } from "../../reconcile/index.ts";
import { findSite, lockIdentities, type ManagementPath, recordMoved } from "../../sites/index.ts";
import { end, enter, workflowsOf } from "./store.ts";
import type { Transition } from "./types.ts";

export type MoveState = "proving";

/** The move that was begun for a site; `refused` says why no login by it worked. */
export interface Move {
  readonly way: ManagementPath;
  readonly refused?: string;
}

export async function findMove(trx: Trx, siteId: string): Promise<Move | undefined> {
  const row = (await workflowsOf(trx, siteId)).find(({ kind }) => kind === "move");
  return row && (row.detail as unknown as Move);
}

/** The router offers this transport: have it proved. */
export async function startMove(trx: Trx, siteId: string, way: ManagementPath): Promise<void> {
  const site = await findSite(trx, siteId);
  if (site) await enter(trx, site, { kind: "move", state: "proving", detail: { way } });
}

/** What was refused has been said; the next run may try again. */
export function endMove(trx: Trx, siteId: string): Promise<void> {
  return end(trx, siteId, "move");
}

export const move: Record<MoveState, Transition> = {
  async proving(context, { logins, row, signal }) {
    const { database } = context;
    const { site, active } = logins;
    const { way } = (row?.detail ?? {}) as unknown as Partial<Move>;
    // What was wanted when it began may be wanted no more: the next plan says.
    if (!way || !active || row?.generation !== site.generation) {
      return database.asSystem((trx) => end(trx, site.id, "move"));
    }
    const moved = {
      ...site,
      management_transport: way.transport,
      tls_fingerprint: way.fingerprint,
      certificates: [],
      api_port: way.port,
      next_api_port: null,
    };
    try {
      const connected = await context.logins.connect(moved, active, signal);
      connected.client.close();
    } catch (error) {
      if (!(error instanceof RouterOsError) || signal.aborted) throw error;
      const detail = { way, refused: messageOf(error) };
      return database.asSystem((trx) => enter(trx, site, { kind: "move", state: "refused", detail }));
    }
    await database.asSystem(async (trx) => {
      await lockIdentities(trx, [site.id]);
      await recordMoved(trx, site, way);
      await end(trx, site.id, "move");
    });
  },
};
