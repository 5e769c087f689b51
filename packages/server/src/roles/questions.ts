/**
 * What the API asks of the process that works for a site: what has to be read from the live router now. Rows of routers
 * are decoded there and never in the API, so a hostile router can take time from checks alone.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { HardeningReport, Plan } from "@portreeve/api-schema";
import { sql } from "kysely";
import type { Database } from "../database/index.ts";
import { type Claimed, check, type Report } from "../exposure/index.ts";
import { readReport, type SiteIntent } from "../hardening/index.ts";
import { type Answer, type InternalClient, ProcessUnreachableError } from "../internal/index.ts";
import { DomainError } from "../kernel/errors.ts";
import { PolicyPreviews, type PreviewTarget } from "../policies/index.ts";
import { answerSightings, askRouter, type Sightings } from "../sites/index.ts";
import type { Foundation } from "./foundation.ts";
import type { Routers } from "./routers.ts";

interface PreviewQuestion {
  readonly target: PreviewTarget;
  readonly caller: string;
}

/** What the process that has the routers answers. What it throws for the caller crosses whole. */
export function answersOf(
  { logins, certificates, reconciler }: Routers,
  { addresses, localAddress: ownAddress }: Foundation,
  sightings: Sightings,
): Readonly<Record<string, Answer>> {
  const previews = new PolicyPreviews(
    (siteId, options, signal) => reconciler.preview(siteId, options, signal),
    certificates,
  );
  return {
    sightings: (input: unknown) => answerSightings(sightings, input),
    preview: ({ target, caller }: PreviewQuestion, signal) =>
      askRouter(previews.plan(target, caller, signal)),
    hardening: (intent: SiteIntent, signal) => askRouter(readReport(logins, intent, signal)),
    exposure: (claimed: Claimed, signal) => askRouter(check({ addresses, ownAddress }, claimed, signal)),
  };
}

/** How long a site may be without a process before the caller is told, milliseconds: a takeover takes up to ten seconds. */
const PATIENCE_MS = 11_000;
const RETRY_MS = 250;

/** No process works for the site at the moment. */
class SiteUnattendedError extends DomainError {
  constructor() {
    super({
      status: 503,
      code: "not-ready",
      title: "Portreeve is not ready",
      detail: "No process works for this site at the moment. Try again in a few seconds.",
      headers: { "retry-after": "5" },
    });
  }
}

/** The API's side: asks whichever process has the site's lease. */
export class RouterQuestions {
  readonly #database: Database;
  readonly #processes: InternalClient;

  constructor(database: Database, processes: InternalClient) {
    this.#database = database;
    this.#processes = processes;
  }

  preview(target: PreviewTarget, caller: string, signal: AbortSignal): Promise<Plan> {
    return this.#ask(target.site.id, "preview", { target, caller }, signal);
  }

  hardening(intent: SiteIntent, signal: AbortSignal): Promise<HardeningReport> {
    return this.#ask(intent.siteId, "hardening", intent, signal);
  }

  exposure(claimed: Claimed, signal: AbortSignal): Promise<Report> {
    return this.#ask(claimed.siteId, "exposure", claimed, signal);
  }

  /** @throws DomainError of the other process; SiteUnattendedError */
  async #ask<T>(siteId: string, question: string, input: unknown, signal: AbortSignal): Promise<T> {
    const late = performance.now() + PATIENCE_MS;
    for (;;) {
      const address = await this.#holderOf(siteId);
      try {
        if (address !== undefined) return (await this.#processes.ask(address, question, input, signal)) as T;
      } catch (error) {
        if (!(error instanceof ProcessUnreachableError)) throw error;
      }
      if (performance.now() > late) throw new SiteUnattendedError();
      await delay(RETRY_MS, undefined, { signal });
    }
  }

  async #holderOf(siteId: string): Promise<string | undefined> {
    const { rows } = await this.#database.readAsSystem((trx) =>
      sql<{ address: string | null }>`
        select members.address from bucket_leases join members on members.id = bucket_leases.holder
         where bucket_leases.bucket = portreeve_bucket(${siteId}::uuid)`.execute(trx),
    );
    return rows[0]?.address ?? undefined;
  }
}
