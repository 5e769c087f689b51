/** The verbs of policies. Each changes intent in the caller's transaction; roll-outs bring it to the sites it concerns. */
import {
  admitManagement,
  DEFAULT_TRUSTED_NETWORKS,
  MAX_PREVIEW_SITES,
  type PolicyInput,
  type PreviewInput,
  policyInput,
} from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import type { StoredService, Trx } from "../database/index.ts";
import type { Caller } from "../http/index.ts";
import type { RolloutService } from "../rollouts/index.ts";
import { SiteNotFoundError } from "../sites/index.ts";
import { actorOf } from "../tokens/index.ts";
import {
  DefaultPolicyError,
  PolicyNotFoundError,
  TooManySitesError,
  UnknownSitesError,
  WayInClosedError,
} from "./errors.ts";
import { hostNetwork } from "./networks.ts";
import { warningsOf } from "./present.ts";
import type { PreviewTarget } from "./preview.ts";
import { makeSlug } from "./slug.ts";
import {
  changePolicy,
  contentOf,
  contentOfSite,
  defaultPolicy,
  findPolicy,
  insertPolicy,
  lockPolicy,
  type PolicyContent,
  type PolicyRow,
  sitesOfPolicy,
  sitesWithRevision,
} from "./store.ts";

export interface PolicyServiceOptions {
  readonly rollouts: RolloutService;
  /** The address routers see us come from, unless a site found another one. */
  readonly managementAddress: string;
}

export class PolicyService {
  readonly #rollouts: RolloutService;
  /** What PUT and attach put first into the lists of enabled services. */
  readonly managementNetwork: string;

  constructor({ rollouts, managementAddress }: PolicyServiceOptions) {
    this.#rollouts = rollouts;
    this.managementNetwork = hostNetwork(managementAddress);
  }

  async get(trx: Trx, id: string): Promise<PolicyRow> {
    const policy = await findPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
    return policy;
  }

  /** What the site's router is to have now. While a change is on its way this is not yet what its policy says. */
  ofSite(trx: Trx, siteId: string): Promise<PolicyContent> {
    return contentOfSite(trx, siteId);
  }

  /** The first policy of a customer: sites start under it and fall back to it. */
  async createDefault(trx: Trx, customerId: string): Promise<void> {
    const input = policyInput.parse(firstPolicy(this.managementNetwork));
    await this.#insert(trx, customerId, input, true);
  }

  async create(trx: Trx, caller: Caller, input: PolicyInput): Promise<PolicyRow> {
    const policy = await this.#insert(trx, caller.customerId, input, false);
    await this.#audit(trx, caller, "policy.created", policy);
    return policy;
  }

  async update(trx: Trx, caller: Caller, id: string, input: PolicyInput): Promise<PolicyRow> {
    const before = await this.#lock(trx, caller, id);
    refuseClosedWayIn(input, await sitesOfPolicy(trx, id));
    const content = this.#admitManagement(contentOf(input));
    const policy = await changePolicy(trx, before, { name: input.name, content });
    await this.#audit(trx, caller, "policy.updated", policy);
    await this.#rollouts.follow(trx, actorOf(caller), policy);
    return this.get(trx, id);
  }

  /** Delete a policy; its sites fall back to the default one. */
  async remove(trx: Trx, caller: Caller, id: string): Promise<void> {
    const policy = await this.#lock(trx, caller, id);
    if (policy.is_default) throw new DefaultPolicyError();
    const fallback = await defaultPolicy(trx);
    const attached = await sitesOfPolicy(trx, id);
    refuseClosedWayIn(fallback.services, attached);
    await this.#rollouts.abandon(trx, actorOf(caller), id);
    await this.#move(
      trx,
      caller,
      attached.map((site) => site.id),
      fallback,
    );
    await trx.deleteFrom("policies").where("id", "=", id).execute();
    await this.#audit(trx, caller, "policy.deleted", policy);
  }

  /** Move sites under this policy. @returns the policy and all sites it now has */
  async attach(
    trx: Trx,
    caller: Caller,
    id: string,
    siteIds: readonly string[],
  ): Promise<{ policy: PolicyRow; sites: string[] }> {
    const policy = await this.#lock(trx, caller, id);
    const wanted = [...new Set(siteIds.map((siteId) => siteId.toLowerCase()))];
    const known =
      wanted.length === 0
        ? []
        : await trx
            .selectFrom("sites")
            .select(["id", "name", "keeps_certificate"])
            .where("id", "in", wanted)
            .execute();
    refuseUnknown(siteIds, new Set(known.map((site) => site.id)));
    refuseClosedWayIn(policy.services, known);
    // Attaching, too, puts the management network into the stored lists, as the API's document shows.
    const updated = await changePolicy(trx, policy, {
      name: policy.name,
      content: this.#admitManagement(policy),
    });
    await this.#audit(trx, caller, "policy.attached", updated, { sites: wanted });
    await this.#move(trx, caller, wanted, updated);
    const attached = (await sitesOfPolicy(trx, id)).map((site) => site.id);
    return { policy: await this.get(trx, id), sites: attached };
  }

  /** A site to be previewed under the policy it has. @throws SiteNotFoundError */
  async previewedSite(trx: Trx, siteId: string): Promise<PreviewTarget> {
    const [site] = await sitesWithRevision(trx, { siteIds: [siteId] });
    if (!site) throw new SiteNotFoundError();
    return { site, now: site, policy: site };
  }

  /**
   * The sites a preview is about, each with the policy it would have.
   * @param draft instead of what is stored
   * @param siteIds these, attached or not; undefined for all attached ones
   * @throws PolicyNotFoundError, UnknownSitesError, TooManySitesError
   */
  async previewed(
    trx: Trx,
    id: string,
    { policy: draft, sites: siteIds }: PreviewInput,
  ): Promise<PreviewTarget[]> {
    const stored = await this.get(trx, id);
    const ids = siteIds?.map((siteId) => siteId.toLowerCase());
    const sites = await sitesWithRevision(trx, ids ? { siteIds: ids } : { policyId: id });
    if (siteIds) refuseUnknown(siteIds, new Set(sites.map((site) => site.id)));
    if (sites.length > MAX_PREVIEW_SITES) throw new TooManySitesError(sites.length, MAX_PREVIEW_SITES);
    const policy = draft ? this.#admitManagement(contentOf(draft)) : stored;
    return sites.map((site) => ({ site, now: site, policy }));
  }

  #insert(trx: Trx, customerId: string, input: PolicyInput, isDefault: boolean): Promise<PolicyRow> {
    const { name } = input;
    const policy = { customer_id: customerId, name, slug: makeSlug(name), is_default: isDefault };
    return insertPolicy(trx, policy, contentOf(input));
  }

  async #lock(trx: Trx, caller: Caller, id: string): Promise<PolicyRow> {
    await this.#rollouts.lock(trx, caller.customerId);
    const policy = await lockPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
    return policy;
  }

  async #move(trx: Trx, caller: Caller, siteIds: readonly string[], policy: PolicyRow): Promise<void> {
    if (siteIds.length > 0) {
      await trx.updateTable("sites").set({ policy_id: policy.id }).where("id", "in", siteIds).execute();
    }
    await this.#rollouts.follow(trx, actorOf(caller), policy);
  }

  #admitManagement(content: PolicyContent): PolicyContent {
    const services = Object.entries(content.services).map(([name, service]) => [
      name,
      admitManagement(service, this.managementNetwork),
    ]);
    return { ...content, services: Object.fromEntries(services) };
  }

  #audit(trx: Trx, caller: Caller, action: string, policy: PolicyRow, detail = {}) {
    const warnings = warningsOf(policy);
    return record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "policy",
      subjectId: policy.id,
      detail: { name: policy.name, ...detail, ...(warnings.length > 0 ? { warnings } : {}) },
    });
  }
}

interface AttachedSite {
  readonly name: string;
  readonly keeps_certificate: boolean;
}

/**
 * A site moves to the transport its policy names before the other one is closed. One that keeps an operator's
 * certificate stays on api-ssl, which must stay open too.
 */
function refuseClosedWayIn(
  { api_ssl: service }: { readonly api_ssl?: Pick<StoredService, "enabled"> },
  sites: readonly AttachedSite[],
): void {
  const cutOff = sites.filter((site) => site.keeps_certificate);
  if (service?.enabled || cutOff.length === 0) return;
  throw new WayInClosedError(
    "api_ssl",
    cutOff.map((site) => site.name),
  );
}

function refuseUnknown(given: readonly string[], known: ReadonlySet<string>): void {
  const problems = given.flatMap((id, index) =>
    known.has(id.toLowerCase()) ? [] : [[`sites.${index}`, [`no site has the id ${id}`]]],
  );
  if (problems.length > 0) throw new UnknownSitesError(Object.fromEntries(problems));
}

/** As the API's document has it: WinBox and SSH from private networks, the API from us, everything else closed. */
function firstPolicy(managementNetwork: string) {
  const closed = (port: number) => ({ enabled: false, port, networks: [] });
  return {
    name: "Default Policy",
    winbox: { enabled: true, port: 8291, networks: DEFAULT_TRUSTED_NETWORKS },
    ssh: { enabled: true, port: 22, networks: DEFAULT_TRUSTED_NETWORKS },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: [managementNetwork] },
    api_ssl: closed(8729),
  };
}
