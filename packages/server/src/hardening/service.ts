/** The verbs of hardening: look at a router, choose fixes, stop keeping one. */
import type { EnforcedFixes, Finding, HardeningReport } from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import type { StoredService, Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import { type FieldErrors, ValidationError } from "../kernel/errors.ts";
import type { SiteId } from "../kernel/ids.ts";
import type { PolicyService } from "../policies/index.ts";
import type { SiteService } from "../sites/index.ts";
import { findCheck } from "./checks/index.ts";
import { fixOf, isInForce } from "./desired.ts";
import { FixNotFoundError } from "./errors.ts";
import { addFixes, fixesOfSite, removeFix } from "./store.ts";
import type { SiteView } from "./types.ts";

export interface HardeningOptions {
  readonly sites: SiteService;
  readonly policies: PolicyService;
  /** Reads the live router and reports on it, wherever its connection is. */
  readonly report: (intent: SiteIntent, signal: AbortSignal) => Promise<HardeningReport>;
  readonly apiUsername: string;
}

/** What a report needs of the database, as data. */
export interface SiteIntent {
  readonly siteId: SiteId;
  readonly view: SiteView;
  readonly enforced: readonly string[];
}

const DELIVERED = "The reconciler delivers the fixes now; the site's sync shows how far it is.";
const LEFT = "The router stays as it is; Portreeve no longer enforces this fix.";

export class HardeningService {
  readonly #options: HardeningOptions;

  constructor(options: HardeningOptions) {
    this.#options = options;
  }

  /** @throws SiteNotFoundError */
  async intent(trx: Trx, siteId: SiteId): Promise<SiteIntent> {
    const { sites, policies } = this.#options;
    const site = await sites.get(trx, siteId);
    const policy = await policies.get(trx, site.policy_id);
    // Of the site's own revision: during a rollout the router must not be evaluated by what it has not been given.
    const { services } = await policies.ofSite(trx, siteId);
    return {
      siteId,
      view: {
        policyName: policy.name,
        services: services as Record<keyof SiteView["services"], StoredService>,
        managementTransport: site.management_transport,
        apiUsername: this.#options.apiUsername,
      },
      enforced: await this.#enforced(trx, siteId),
    };
  }

  /** @throws what reading the router throws */
  report(intent: SiteIntent, signal: AbortSignal): Promise<HardeningReport> {
    return this.#options.report(intent, signal);
  }

  /**
   * Have findings fixed, all of them or none.
   * @param report of the router as it is now
   * @throws ValidationError one of them can't or must not be fixed as the router is now
   */
  async choose(
    trx: Trx,
    caller: Caller,
    siteId: SiteId,
    { fixes, report }: { fixes: readonly string[]; report: HardeningReport },
  ): Promise<EnforcedFixes> {
    const errors: FieldErrors = {};
    for (const [i, id] of fixes.entries()) {
      const problem = problemWith(id, report);
      if (problem !== undefined) errors[`fixes.${i}`] = [problem];
    }
    if (Object.keys(errors).length > 0) throw new ValidationError(errors);
    const { sites } = this.#options;
    await sites.get(trx, siteId);
    const chosen = [...new Set(fixes)];
    await addFixes(trx, caller.customerId, siteId, chosen);
    await this.#audit(trx, caller, siteId, "hardening.fixes_chosen", { fixes: chosen });
    await sites.bumpGeneration(trx, [siteId]);
    return { fixes: await this.#enforced(trx, siteId), note: DELIVERED };
  }

  /** Stop keeping a fix. What it did to the router stays. @throws FixNotFoundError */
  async stop(trx: Trx, caller: Caller, siteId: SiteId, fix: string): Promise<EnforcedFixes> {
    const { sites } = this.#options;
    await sites.get(trx, siteId);
    if (!(await removeFix(trx, siteId, fix))) throw new FixNotFoundError();
    await this.#audit(trx, caller, siteId, "hardening.fix_stopped", { fix });
    await sites.bumpGeneration(trx, [siteId]);
    return { fixes: await this.#enforced(trx, siteId), note: LEFT };
  }

  async #enforced(trx: Trx, siteId: SiteId): Promise<string[]> {
    const rows = await fixesOfSite(trx, siteId);
    return rows
      .filter(({ fix, is_fresh }) => isInForce({ id: fix, isFresh: is_fresh }))
      .map(({ fix }) => fix);
  }

  #audit(trx: Trx, caller: Caller, siteId: SiteId, action: string, detail: Record<string, unknown>) {
    return record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "site",
      subjectId: siteId,
      siteId,
      detail,
    });
  }
}

/** Why a finding can't be fixed on the router as it is now; undefined when it can. */
function problemWith(id: string, { findings }: HardeningReport): string | undefined {
  const finding = findings.find((candidate) => candidate.id === id);
  const fix = fixOf(id);
  if (!finding) return "no finding has this id";
  if (!fix) return `can't be fixed by Portreeve: ${reasonOf(finding, id)}`;
  if (finding.fix !== null) return undefined;
  // What is as it ought to be can be kept so.
  if (finding.status === "ok" && !fix.once) return undefined;
  return finding.no_fix_reason ?? `nothing to fix: ${finding.detail}`;
}

function reasonOf({ no_fix_reason: reason }: Finding, id: string): string {
  return reason ?? String(findCheck(id)?.fix);
}
