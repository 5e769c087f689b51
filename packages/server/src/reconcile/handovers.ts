/** The SQL of handovers: what was handed to a router that answers later, so that the next run can ask for its answer. */
import type { Database, Trx } from "../database/index.ts";
import type { Delivery } from "./link.ts";
import type { SiteSnapshot } from "./types.ts";

export interface Handover {
  readonly kind: "observe" | "deliver" | "confirm";
  /** SHA-256 of kind and request: the same request again is the same handover. */
  readonly digest: string;
  /** What was handed over, of a delivery alone: everything else is asked for again as it was. */
  readonly delivery: Delivery | undefined;
  readonly wakeKey: string;
  readonly until: Date;
  /** The router has carried it out; it is kept until a run has come to its end. */
  readonly isAnswered: boolean;
}

export interface Handovers {
  /** Those of a site whose answer may still come, and what was delivered since the last run that ended. */
  load(trx: Trx, siteId: string): Promise<readonly Handover[]>;
  store(site: SiteSnapshot, handover: Handover): Promise<void>;
  /** A delivery or a confirmation has come to its end: nothing that was observed or confirmed before holds any more. */
  answered(siteId: string, digest: string): Promise<void>;
  /** The run has come to its end. */
  clear(siteId: string): Promise<void>;
}

export function databaseHandovers(database: Database): Handovers {
  return {
    async load(trx, siteId) {
      const rows = await trx
        .selectFrom("link_handovers")
        .select(["kind", "digest", "delivery", "wake_key", "until", "is_answered"])
        .where("site_id", "=", siteId)
        .where((eb) => eb.or([eb("is_answered", "=", true), eb("until", ">", eb.fn<Date>("now"))]))
        .orderBy("created_at")
        .execute();
      return rows.map(({ wake_key: wakeKey, is_answered: isAnswered, delivery, ...row }) => ({
        ...row,
        delivery: (delivery as Delivery | null) ?? undefined,
        wakeKey,
        isAnswered,
      }));
    },
    store: (site, { kind, digest, delivery, wakeKey, until }) =>
      database.asSystem(async (trx) => {
        const given = {
          generation: site.generation,
          delivery: delivery ? JSON.stringify(delivery) : null,
          wake_key: wakeKey,
          until,
          is_answered: false,
        };
        await trx
          .insertInto("link_handovers")
          .values({ site_id: site.id, customer_id: site.customerId, kind, digest, ...given })
          .onConflict((conflict) => conflict.columns(["site_id", "digest"]).doUpdateSet(given))
          .execute();
      }),
    answered: (siteId, digest) =>
      database.asSystem(async (trx) => {
        await trx
          .updateTable("link_handovers")
          .set({ is_answered: true })
          .where("site_id", "=", siteId)
          .where("digest", "=", digest)
          .execute();
        await trx
          .deleteFrom("link_handovers")
          .where("site_id", "=", siteId)
          .where("digest", "!=", digest)
          .where("kind", "!=", "deliver")
          .execute();
      }),
    clear: (siteId) =>
      database.asSystem(async (trx) => {
        await trx.deleteFrom("link_handovers").where("site_id", "=", siteId).execute();
      }),
  };
}
