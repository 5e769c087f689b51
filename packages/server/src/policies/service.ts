/** The verbs of policies. Each changes intent in the caller's transaction and wakes the sites it concerns. */
import {
  DEFAULT_TRUSTED_NETWORKS,
  type PolicyInput,
  policyInput,
  SERVICE_NAMES,
} from "@portreeve/api-schema";
import { sql } from "kysely";
import { record } from "../audit/index.ts";
import type { StoredService, Trx } from "../database/index.ts";
import type { Caller } from "../http/index.ts";
import type { SiteService } from "../sites/index.ts";
import { actorOf } from "../tokens/index.ts";
import { DefaultPolicyError, PolicyNotFoundError, UnknownSitesError, WayInClosedError } from "./errors.ts";
import { hostNetwork } from "./networks.ts";
import { warningsOf } from "./present.ts";
import { makeSlug } from "./slug.ts";
import {
  columnsOf,
  defaultPolicyId,
  findPolicy,
  lockPolicy,
  type PolicyRow,
  sitesOfPolicy,
  touchUpdatedAt,
} from "./store.ts";

export interface PolicyServiceOptions {
  readonly sites: SiteService;
  /** The address routers see us come from, unless a site found another one. */
  readonly managementAddress: string;
}

export class PolicyService {
  readonly #sites: SiteService;
  readonly #managementNetwork: string;

  constructor({ sites, managementAddress }: PolicyServiceOptions) {
    this.#sites = sites;
    this.#managementNetwork = hostNetwork(managementAddress);
  }

  async get(trx: Trx, id: string): Promise<PolicyRow> {
    const policy = await findPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
    return policy;
  }

  /** The first policy of a customer: sites start under it and fall back to it. */
  async createDefault(trx: Trx, customerId: string): Promise<void> {
    const input = policyInput.parse(defaultPolicy(this.#managementNetwork));
    await this.#insert(trx, customerId, input, true);
  }

  async create(trx: Trx, caller: Caller, input: PolicyInput): Promise<PolicyRow> {
    const policy = await this.#insert(trx, caller.customerId, input, false);
    await this.#audit(trx, caller, "policy.created", policy);
    return policy;
  }

  async update(trx: Trx, caller: Caller, id: string, input: PolicyInput): Promise<PolicyRow> {
    if (!(await lockPolicy(trx, id))) throw new PolicyNotFoundError();
    const attached = await sitesOfPolicy(trx, id);
    refuseClosedWayIn(input, attached);
    const policy = await trx
      .updateTable("policies")
      .set({ ...columnsOf(this.#admitManagement(input)), updated_at: sql<Date>`now()` })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await this.#audit(trx, caller, "policy.updated", policy);
    await this.#sites.touch(
      trx,
      attached.map((site) => site.id),
    );
    return policy;
  }

  /** Delete a policy; its sites fall back to the default one. */
  async remove(trx: Trx, caller: Caller, id: string): Promise<void> {
    const policy = await lockPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
    if (policy.is_default) throw new DefaultPolicyError();
    const fallback = await this.get(trx, await defaultPolicyId(trx));
    const attached = await sitesOfPolicy(trx, id);
    refuseClosedWayIn(fallback.services, attached);
    await this.#move(
      trx,
      attached.map((site) => site.id),
      fallback.id,
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
    const policy = await lockPolicy(trx, id);
    if (!policy) throw new PolicyNotFoundError();
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
    await this.#move(trx, wanted, id);
    const updated = await this.#storeManagement(trx, policy);
    await this.#audit(trx, caller, "policy.attached", updated, { sites: wanted });
    const attached = (await sitesOfPolicy(trx, id)).map((site) => site.id);
    await this.#sites.touch(trx, attached);
    return { policy: updated, sites: attached };
  }

  #insert(trx: Trx, customerId: string, input: PolicyInput, isDefault: boolean): Promise<PolicyRow> {
    return trx
      .insertInto("policies")
      .values({
        customer_id: customerId,
        slug: makeSlug(input.name),
        is_default: isDefault,
        ...columnsOf(input),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async #move(trx: Trx, siteIds: readonly string[], policyId: string): Promise<void> {
    if (siteIds.length === 0) return;
    await trx.updateTable("sites").set({ policy_id: policyId }).where("id", "in", siteIds).execute();
    await this.#sites.touch(trx, siteIds);
  }

  /** Attaching, too, puts the management network into the stored lists, as the API's document shows. */
  async #storeManagement(trx: Trx, policy: PolicyRow): Promise<PolicyRow> {
    const services = Object.fromEntries(
      SERVICE_NAMES.map((name) => [name, this.#withManagement(policy.services[name] as StoredService)]),
    );
    await trx
      .updateTable("policies")
      .set({ services: JSON.stringify(services) })
      .where("id", "=", policy.id)
      .execute();
    return touchUpdatedAt(trx, policy.id);
  }

  #admitManagement(input: PolicyInput): PolicyInput {
    const services = Object.fromEntries(
      SERVICE_NAMES.map((name) => [name, this.#withManagement(input[name])]),
    );
    return { ...input, ...services };
  }

  /**
   * An enabled service's list starts with the management network. A service without a list keeps none: it means
   * "the trusted networks", and a list of one would mean "only Portreeve".
   */
  #withManagement(service: StoredService): StoredService {
    if (!service.enabled || !service.networks?.length) return service;
    const others = service.networks.filter((network) => network !== this.#managementNetwork);
    return { ...service, networks: [this.#managementNetwork, ...others] };
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
function defaultPolicy(managementNetwork: string) {
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
