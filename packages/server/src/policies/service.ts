/** The verbs of policies. Each changes intent in the caller's transaction; rollouts bring it to the sites it concerns. */
import {
  type AttachSites,
  admitManagement,
  DEFAULT_TRUSTED_NETWORKS,
  MAX_PREVIEW_SITES,
  type PolicyChange,
  type PolicyInput,
  type PreviewInput,
  policyInput,
} from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import type { Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import type { CustomerId, PolicyId, SiteId } from "../kernel/ids.ts";
import { assignPolicy, type RolloutService } from "../rollouts/index.ts";
import { SiteNotFoundError } from "../sites/index.ts";
import {
  CallerLockedOutError,
  DefaultPolicyError,
  ManagementPathClosedError,
  PolicyNotFoundError,
  TooManySitesError,
  UnknownSitesError,
} from "./errors.ts";
import { callerLockout, managementLockout } from "./lock-out.ts";
import { hostNetwork } from "./networks.ts";
import { warningsOf } from "./present.ts";
import type { PreviewTarget } from "./preview.ts";
import { makeSlug } from "./slug.ts";
import {
  changePolicy,
  contentOf,
  contentOfSite,
  defaultPolicy,
  deletePolicy,
  findPolicy,
  insertPolicy,
  isSameContent,
  lockPolicy,
  type PolicyContent,
  type PolicyRow,
  type SiteUnderPolicy,
  sitesUnderPolicy,
  transportUnder,
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

  async get(trx: Trx, id: PolicyId): Promise<PolicyRow> {
    const policy = await findPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
    return policy;
  }

  /** What the site's router is to have now. While a change is on its way this is not yet what its policy says. */
  ofSite(trx: Trx, siteId: SiteId): Promise<PolicyContent> {
    return contentOfSite(trx, siteId);
  }

  /** The first policy of a customer: sites start under it and fall back to it. */
  async createDefault(trx: Trx, customerId: CustomerId): Promise<void> {
    const input = policyInput.parse(firstPolicy(this.managementNetwork));
    await this.#insert(trx, customerId, input, true);
  }

  async create(trx: Trx, caller: Caller, input: PolicyInput): Promise<PolicyRow> {
    const policy = await this.#insert(trx, caller.customerId, input, false);
    await this.#audit(trx, caller, "policy.created", policy);
    return policy;
  }

  async update(trx: Trx, caller: Caller, id: PolicyId, change: PolicyChange): Promise<PolicyRow> {
    const before = await this.#lock(trx, caller, id);
    const { lock_out_reason: reason, ...input } = change;
    const sent = contentOf(input);
    const sites = await sitesUnderPolicy(trx, { policyId: id });
    const confirmed = this.#refuseLockOut(caller, sent, sites, { reason, how: GIVE_A_REASON });
    const content = this.#admitManagement(sent);
    const policy = await changePolicy(trx, before, { name: input.name, content });
    await this.#audit(trx, caller, "policy.updated", policy, confirmed);
    await this.#rollouts.follow(trx, actorOf(caller), policy);
    return this.get(trx, id);
  }

  /** Delete a policy; its sites fall back to the default one. */
  async remove(trx: Trx, caller: Caller, id: PolicyId): Promise<void> {
    const policy = await this.#lock(trx, caller, id);
    if (policy.is_default) throw new DefaultPolicyError();
    const fallback = await defaultPolicy(trx);
    const attached = await sitesUnderPolicy(trx, { policyId: id });
    this.#refuseLockOut(caller, fallback, attached, { reason: undefined, how: ATTACH_FIRST });
    await this.#rollouts.abandon(trx, actorOf(caller), id);
    await this.#move(
      trx,
      caller,
      attached.map((site) => site.id),
      fallback,
    );
    await deletePolicy(trx, id);
    await this.#audit(trx, caller, "policy.deleted", policy);
  }

  /** Move sites under this policy. @returns the policy and all sites it now has */
  async attach(
    trx: Trx,
    caller: Caller,
    id: PolicyId,
    { sites: siteIds, lock_out_reason: reason }: AttachSites,
  ): Promise<{ policy: PolicyRow; sites: SiteId[] }> {
    const policy = await this.#lock(trx, caller, id);
    const wanted = [...new Set(siteIds.map((siteId) => siteId.toLowerCase()))];
    const known = await sitesUnderPolicy(trx, { siteIds: wanted });
    refuseUnknown(siteIds, new Set(known.map((site) => site.id)));
    const confirmed = this.#refuseLockOut(caller, policy, known, { reason, how: GIVE_A_REASON });
    // Attaching, too, puts the management network into the stored lists, as the API's document shows.
    const updated = await changePolicy(trx, policy, {
      name: policy.name,
      content: this.#admitManagement(policy),
    });
    await this.#audit(trx, caller, "policy.attached", updated, { sites: wanted, ...confirmed });
    await this.#move(trx, caller, wanted, updated);
    const attached = (await sitesUnderPolicy(trx, { policyId: id })).map((site) => site.id);
    return { policy: await this.get(trx, id), sites: attached };
  }

  /** A site to be previewed under what its router is to have now. @throws SiteNotFoundError */
  async previewedSite(trx: Trx, siteId: SiteId): Promise<PreviewTarget> {
    const [site] = await sitesUnderPolicy(trx, { siteIds: [siteId] });
    if (!site) throw new SiteNotFoundError();
    return {
      site: { ...site, now: site },
      transport: transportUnder(site.wanted_transport, site),
      policy: site,
      revisionId: site.policy_revision_id,
    };
  }

  /**
   * The sites a preview is about, each with the policy it would have: a draft, or what is stored; all attached sites,
   * or these, attached or not.
   * @throws PolicyNotFoundError, UnknownSitesError, TooManySitesError
   */
  async previewed(
    trx: Trx,
    id: PolicyId,
    { policy: draft, sites: siteIds }: PreviewInput,
  ): Promise<PreviewTarget[]> {
    const stored = await this.get(trx, id);
    const ids = siteIds?.map((siteId) => siteId.toLowerCase());
    const sites = await sitesUnderPolicy(trx, ids ? { siteIds: ids } : { policyId: id });
    if (siteIds) refuseUnknown(siteIds, new Set(sites.map((site) => site.id)));
    if (sites.length > MAX_PREVIEW_SITES) throw new TooManySitesError(sites.length, MAX_PREVIEW_SITES);
    const policy = this.#admitManagement(draft ? contentOf(draft) : stored);
    const revisionId = isSameContent(policy, stored) ? stored.revision_id : undefined;
    return sites.map((site) => ({
      site: { ...site, now: site },
      transport: transportUnder(policy.management_transport, site),
      policy,
      revisionId,
    }));
  }

  /**
   * Refuse a policy that would lock out Portreeve, or the caller who has not said why.
   * @param how the caller may have it nevertheless
   * @returns what the audit is to say of a lock-out that was confirmed
   * @throws ManagementPathClosedError, CallerLockedOutError
   */
  #refuseLockOut(
    caller: Caller,
    policy: PolicyContent,
    sites: readonly SiteUnderPolicy[],
    { reason, how }: { reason: string | undefined; how: string },
  ): Record<string, unknown> {
    const affected = sites.map((site) => ({
      ...site,
      management_transport: transportUnder(policy.management_transport, site),
      now: site,
    }));
    const toUs = managementLockout(policy, affected);
    if (Object.keys(toUs).length > 0) throw new ManagementPathClosedError(toUs);
    const toCaller = callerLockout(this.#admitManagement(policy), affected, caller.address);
    if (Object.keys(toCaller).length === 0) return {};
    if (reason === undefined) throw new CallerLockedOutError(toCaller, how);
    return { lock_out_reason: reason };
  }

  #insert(trx: Trx, customerId: CustomerId, input: PolicyInput, isDefault: boolean): Promise<PolicyRow> {
    const { name } = input;
    const policy = { customer_id: customerId, name, slug: makeSlug(name), is_default: isDefault };
    return insertPolicy(trx, policy, contentOf(input));
  }

  async #lock(trx: Trx, caller: Caller, id: PolicyId): Promise<PolicyRow> {
    await this.#rollouts.lock(trx, caller.customerId);
    const policy = await lockPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
    return policy;
  }

  async #move(trx: Trx, caller: Caller, siteIds: readonly SiteId[], policy: PolicyRow): Promise<void> {
    await assignPolicy(trx, siteIds, policy.id);
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

const GIVE_A_REASON = "give lock_out_reason to do it anyway";
const ATTACH_FIRST = "move its sites to another policy first; give lock_out_reason there";

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
