/** What a policy would do to routers, read from the live ones. Nothing is written, there or in the database. */
import { isIP } from "node:net";
import type { Plan } from "@portreeve/api-schema";
import type { Row } from "@portreeve/routeros";
import type { CertificateContributor, Transport } from "../certificates/index.ts";
import type { FieldErrors } from "../kernel/errors.ts";
import type { RevisionId, SiteId } from "../kernel/ids.ts";
import { ASSESSED_MENUS, type Assessment, assess, predictPlan } from "../reachability/index.ts";
import {
  type DesiredMenu,
  matches,
  type Preview,
  type PreviewOptions,
  type Step,
} from "../reconcile/index.ts";
import { presentSteps, SiteNotFoundError } from "../sites/index.ts";
import { draftContributor } from "./contributor.ts";
import { policyFacts, ROUTEROS_SERVICE } from "./desired.ts";
import { type AffectedSite, callerLockout, managementLockout } from "./lock-out.ts";
import { warningsOf } from "./present.ts";
import type { RouterContent, SiteUnderPolicy } from "./store.ts";

/** A preview, as data: it is asked in the process of the API and answered where the router's connection is. */
export interface PreviewTarget {
  readonly site: AffectedSite & Pick<SiteUnderPolicy, "id" | "verified_revision_id">;
  /** The transport it would come in by. */
  readonly transport: AffectedSite["management_transport"];
  /** The policy it would have, as it would be stored. */
  readonly policy: RouterContent;
  /** The revision that says just this; undefined where there is none yet. */
  readonly revisionId: RevisionId | undefined;
}

/**
 * What would become of one site.
 * @param caller the address of whoever asks, "unknown" where it is not known
 * @throws SiteNotFoundError, and what reading the router throws
 */
export type PlanPreview = (target: PreviewTarget, caller: string, signal: AbortSignal) => Promise<Plan>;

/** Reads what a plan for a site is made from; the reconciler's `preview`. */
type ReadRouter = (
  siteId: SiteId,
  options: PreviewOptions,
  signal: AbortSignal,
) => Promise<Preview | undefined>;

export class PolicyPreviews {
  readonly #readRouter: ReadRouter;
  readonly #certificates: CertificateContributor;

  constructor(readRouter: ReadRouter, certificates: CertificateContributor) {
    this.#readRouter = readRouter;
    this.#certificates = certificates;
  }

  /**
   * @param caller the caller's address, "unknown" where it is not known
   * @throws SiteNotFoundError, and what reading the router throws
   */
  async plan(target: PreviewTarget, caller: string, signal: AbortSignal): Promise<Plan> {
    const { site, transport, policy, revisionId } = target;
    const instead = [
      draftContributor(policyFacts(policy, site, revisionId)),
      this.#certificates.under(transport, policy.services),
    ];
    const seen = await this.#readRouter(site.id, { instead, menus: ASSESSED_MENUS }, signal);
    if (!seen) throw new SiteNotFoundError();
    const { desired, observed, version, managementAddress } = seen;
    const { steps, after } = predictPlan(desired, observed, version);
    const assessment = assess({
      before: observed,
      after,
      sources: {
        management: managementAddress,
        caller: isIP(caller) ? caller : undefined,
        networks: [...networksIn(policy), ...networksIn(site.now)],
      },
      services: ROUTEROS_SERVICE,
      ours: ownedRule(desired(observed)),
    });
    const lockOuts = [
      ...refusals(managementLockout(policy, [{ ...site, management_transport: transport }])),
      ...refusals(callerLockout(policy, [site], caller)),
    ];
    return present(steps, assessment, [
      ...lockOuts,
      ...movesTo(transport, site.management_transport),
      ...warningsOf(policy),
    ]);
  }
}

/** The rest of the way hangs on a login by the other service, whose outcome is not known yet. */
function movesTo(transport: Transport, now: Transport): string[] {
  if (transport === now) return [];
  return [
    `Portreeve moves from ${now} to ${transport} once a login by it has worked; the steps are those up to then`,
  ];
}

/** What saving the policy would be answered with. */
function refusals(errors: FieldErrors): string[] {
  return Object.entries(errors).map(([field, messages]) => `${field} ${messages.join(", ")}`);
}

function networksIn({
  services,
  trusted_networks,
}: Pick<RouterContent, "services" | "trusted_networks">): string[] {
  return [...trusted_networks, ...Object.values(services).flatMap(({ networks }) => networks ?? [])];
}

/** A rule is ours when somebody who wants rows in a packet filter owns it. */
function ownedRule(desired: readonly DesiredMenu[]): (row: Row) => boolean {
  const filters = desired.filter(({ menu }) => menu.path.endsWith("/firewall/filter"));
  return (row) => filters.some(({ owns }) => matches(owns, row));
}

function present(steps: readonly Step[], assessment: Assessment, warnings: readonly string[]): Plan {
  return {
    steps: presentSteps(steps),
    input_chain: assessment.inputChain,
    access: assessment.access,
    warnings: [...warnings, ...assessment.warnings],
  };
}
