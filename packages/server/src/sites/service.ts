/** The verbs of sites. Each changes intent in the caller's transaction and wakes the reconciler when it commits. */
import { randomUUID } from "node:crypto";
import type { SiteInput, SitePatch } from "@portreeve/api-schema";
import { sql } from "kysely";
import { record } from "../audit/index.ts";
import { notify, type Trx } from "../database/index.ts";
import type { Caller } from "../http/index.ts";
import { actorOf } from "../tokens/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import type { AddressRules } from "./address.ts";
import { RouterAlreadyAddedError, SiteAddressError, SiteNotFoundError } from "./errors.ts";
import { changedIntent, findSite, findSiteAt, lockSite, type SiteRow } from "./store.ts";
import { DEFAULT_PORTS, transportColumns } from "./transport.ts";

/** Notified with a site's id when its intent has changed. */
export const SITE_CHANNEL = "portreeve_site";

export interface SiteServiceOptions {
  readonly vault: Vault;
  readonly addresses: AddressRules;
  /** The policy a new site starts under. */
  readonly defaultPolicy: (trx: Trx) => Promise<{ readonly id: string; readonly revision_id: string }>;
}

export class SiteService {
  readonly #options: SiteServiceOptions;

  constructor(options: SiteServiceOptions) {
    this.#options = options;
  }

  async get(trx: Trx, siteId: string): Promise<SiteRow> {
    const site = await findSite(trx, siteId);
    if (!site) throw new SiteNotFoundError();
    return site;
  }

  /** Add a site. It is adopted by the reconciler, as soon as the router answers. */
  async create(trx: Trx, caller: Caller, input: SiteInput): Promise<SiteRow> {
    this.#checkAddress(input.address);
    const id = randomUUID();
    const port = input.api_port ?? DEFAULT_PORTS[input.management_transport];
    await this.#refuseDuplicateSite(trx, input.address, port, id);
    const policy = await this.#options.defaultPolicy(trx);
    const site = await trx
      .insertInto("sites")
      .values({
        id,
        customer_id: caller.customerId,
        policy_id: policy.id,
        policy_revision_id: policy.revision_id,
        name: input.name,
        address: input.address,
        api_port: port,
        management_transport: input.management_transport,
        tls_fingerprint: input.tls_fingerprint ?? null,
        keeps_certificate: input.management_transport === "api-ssl",
        adoption_login: await this.#sealLogin(trx, caller.customerId, id, input),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await this.#audit(trx, caller, "site.created", site, { name: site.name, address: site.address });
    await notify(trx, SITE_CHANNEL, id);
    return site;
  }

  /** Change a site. A new login starts adoption anew: the router may have been replaced or reset. */
  async update(trx: Trx, caller: Caller, siteId: string, patch: SitePatch): Promise<SiteRow> {
    if (patch.address !== undefined) this.#checkAddress(patch.address);
    const before = await lockSite(trx, siteId);
    if (!before) throw new SiteNotFoundError();
    const { username, password, ...given } = patch;
    const { name = before.name, address = before.address } = patch;
    const columns = { name, address, ...transportColumns(before, patch) };
    await this.#refuseDuplicateSite(trx, address, columns.api_port, siteId);
    const login =
      username !== undefined && password !== undefined
        ? { adoption_login: await this.#sealLogin(trx, caller.customerId, siteId, { username, password }) }
        : {};
    const site = await trx
      .updateTable("sites")
      .set({ ...columns, ...login, ...changedIntent })
      .where("id", "=", siteId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await this.#audit(trx, caller, "site.updated", site, {
      ...given,
      ...(username ? { login_given: true } : {}),
    });
    await notify(trx, SITE_CHANNEL, siteId);
    return site;
  }

  /**
   * Start off-boarding: the reconciler takes everything of ours off the router, then the site ends.
   * A router that was never adopted has nothing of ours and is forgotten at once.
   * @param force forget the site now and leave the router as it is
   */
  async remove(trx: Trx, caller: Caller, siteId: string, force: boolean): Promise<SiteRow> {
    const site = await lockSite(trx, siteId);
    if (!site) throw new SiteNotFoundError();
    const forget = force || site.management_address === null;
    await this.#audit(trx, caller, forget ? "site.deleted" : "site.offboarding", site, {
      name: site.name,
      force,
    });
    if (forget) await trx.deleteFrom("sites").where("id", "=", siteId).execute();
    else {
      await trx
        .updateTable("sites")
        .set({ status: "deleting", ...changedIntent })
        .where("id", "=", siteId)
        .execute();
    }
    await notify(trx, SITE_CHANNEL, siteId);
    return { ...site, status: "deleting", sync_state: "pending" };
  }

  /** The intent for these sites has changed elsewhere (a policy, a grant, a rotation): wake the reconciler. */
  async bumpGeneration(trx: Trx, siteIds: readonly string[]): Promise<void> {
    if (siteIds.length === 0) return;
    // One parameter and one statement each, however many sites a policy has.
    const ids = sql`${siteIds}::uuid[]`;
    await trx.updateTable("sites").set(changedIntent).where("id", "=", sql<string>`any(${ids})`).execute();
    for (const siteId of siteIds) await notify(trx, SITE_CHANNEL, siteId);
  }

  /** Reconcile this site now, without a change of intent; a change of the management path that was undone is tried again. */
  async wake(trx: Trx, caller: Caller, siteId: string): Promise<SiteRow> {
    const site = await this.get(trx, siteId);
    const again = { way_in_armed: null, way_in_problem: null, way_in_problem_change: null };
    await trx.updateTable("sites").set(again).where("id", "=", siteId).execute();
    await this.#audit(trx, caller, "site.reconcile_requested", site, {});
    await notify(trx, SITE_CHANNEL, siteId);
    return site;
  }

  #checkAddress(address: string): void {
    const problem = this.#options.addresses.problemWith(address);
    if (problem) throw new SiteAddressError(problem);
  }

  async #refuseDuplicateSite(trx: Trx, address: string, port: number, siteId: string): Promise<void> {
    const duplicate = await findSiteAt(trx, address, port, siteId);
    if (duplicate) throw new RouterAlreadyAddedError(duplicate);
  }

  #sealLogin(trx: Trx, customerId: string, siteId: string, login: { username: string; password: string }) {
    const text = JSON.stringify({ username: login.username, password: login.password });
    return this.#options.vault.seal(trx, customerId, adoptionLoginBinding(siteId), new Secret(text));
  }

  #audit(trx: Trx, caller: Caller, action: string, site: SiteRow, detail: Record<string, unknown>) {
    return record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "site",
      subjectId: site.id,
      siteId: site.id,
      detail,
    });
  }
}

/** What ties a sealed adoption login to its place. */
export function adoptionLoginBinding(siteId: string) {
  return { table: "sites", column: "adoption_login", rowId: siteId };
}
