/** The SQL of workflows: where each of a site's stands. */
import { type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../../database/index.ts";

export type WorkflowRow = Selectable<Tables["workflows"]>;
type Kind = WorkflowRow["kind"];

interface OfSite {
  readonly id: string;
  readonly customer_id: string;
  readonly generation: string;
}

export function workflowsOf(trx: Trx, siteId: string): Promise<WorkflowRow[]> {
  return trx.selectFrom("workflows").selectAll().where("site_id", "=", siteId).execute();
}

/** It is in this state from now on, whether it had begun or not. */
export async function enter(
  trx: Trx,
  site: OfSite,
  { kind, state, detail = {} }: { kind: Kind; state: string; detail?: object },
): Promise<void> {
  const given = { state, detail: JSON.stringify(detail), generation: site.generation };
  await trx
    .insertInto("workflows")
    .values({ site_id: site.id, customer_id: site.customer_id, kind, ...given })
    .onConflict((conflict) =>
      conflict.columns(["site_id", "kind"]).doUpdateSet({ ...given, updated_at: sql<Date>`now()` }),
    )
    .execute();
}

export async function end(trx: Trx, siteId: string, kind: Kind): Promise<void> {
  await trx.deleteFrom("workflows").where("site_id", "=", siteId).where("kind", "=", kind).execute();
}
