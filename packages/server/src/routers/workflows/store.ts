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

/** What says which workflow of a site is to go on; one statement, because every run asks. */
export interface Standing {
  /** A login to adopt the router with is there. */
  readonly hasAdoptionLogin: boolean;
  /** States in which the site has logins of ours; history is left out. */
  readonly credentials: ReadonlySet<string>;
  readonly workflows: readonly WorkflowRow[];
}

/** @returns undefined when the site is gone */
export async function standingOf(trx: Trx, siteId: string): Promise<Standing | undefined> {
  const rows = await trx
    .selectFrom("site_connections")
    .leftJoin("credentials", (join) =>
      join
        .onRef("credentials.site_id", "=", "site_connections.site_id")
        .on("credentials.state", "!=", "retired"),
    )
    .leftJoin("workflows", "workflows.site_id", "site_connections.site_id")
    .select([
      sql<boolean>`site_connections.adoption_login is not null`.as("has_adoption_login"),
      "credentials.state as credential",
      sql<WorkflowRow | null>`to_jsonb(workflows)`.as("workflow"),
    ])
    .where("site_connections.site_id", "=", siteId)
    .execute();
  const [first] = rows;
  if (!first) return undefined;
  return {
    hasAdoptionLogin: first.has_adoption_login,
    credentials: new Set(rows.flatMap(({ credential }) => credential ?? [])),
    workflows: rows.flatMap(({ workflow }) => (workflow ? [rowFrom(workflow)] : [])),
  };
}

/** JSON has numbers where PostgreSQL has bigint. */
function rowFrom(workflow: WorkflowRow): WorkflowRow {
  return { ...workflow, generation: String(workflow.generation) };
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
